internal import Tensors

/// What remains of a layer's forward pass until its backward pass.
enum KeptLayer {
    case tape(LayerTape)
    /// Only the layer's input and output; the tape is recomputed.
    case ends(input: Matrix, output: Matrix)

    var output: Matrix {
        switch self {
        case .tape(let tape): tape.output
        case .ends(_, let output): output
        }
    }
}

/// The encoder layers of one lane's batch, with or without the tapes that their backward pass needs.
struct LayerStack {
    let model: BERTModel
    let batch: PackedBatch
    /// The layer that a head reads.
    let last: Int
    /// Rows that the last layer puts out; nil for all of them.
    let read: ReadRows?
    /// Rows that the other layers put out.
    let all: ReadRows
    let weights: Weights
    let dropout: DropoutContext?
    let arena: Arena

    /// Rows that a layer puts out; nil for all of them.
    func read(_ layer: Int) -> ReadRows? { layer == last ? read : nil }

    private func forward(_ layer: Int, _ input: Matrix) -> LayerTape {
        model.layerForward(
            layer, input, read: read(layer), all: all, batch, weights, dropout: dropout, arena: arena)
    }

    func tape(_ layer: Int, _ input: Matrix) -> KeptLayer { .tape(forward(layer, input)) }

    /// Computes a layer and keeps only its output in the arena.
    func output(_ layer: Int, _ input: Matrix) -> KeptLayer {
        let rows = read(layer)?.rows.count ?? batch.tokenCount
        let output = arena.take(rows: rows, columns: model.shape.width)
        let mark = arena.mark
        output.elements.copy(from: forward(layer, input).output.elements)
        arena.release(to: mark)
        return .ends(input: input, output: output)
    }

    /// Computes a layer and keeps its tape in the arena.
    func tape(of kept: KeptLayer, _ layer: Int) -> LayerTape {
        switch kept {
        case .tape(let tape): tape
        case .ends(let input, _): forward(layer, input)
        }
    }
}
