internal import Kernels
internal import Tensors

/// What remains of a layer's forward pass until its backward pass.
enum KeptLayer {
    case tape(LayerTape)
    /// Only the layer's input; the tape is recomputed if it is needed.
    case input(Matrix)
}

/// The encoder layers of one lane's batch, with or without the tapes that their backward pass needs.
struct LayerStack {
    let model: BERTModel
    let batch: PackedBatch
    /// The layer that a head reads.
    let last: Int
    /// The lowest layer with a backward pass.
    let lowest: Int
    /// Whether tapes are recomputed instead of kept.
    let recompute: Bool
    /// Rows that the last layer puts out; nil for all of them.
    let read: ReadRows?
    /// Rows that the other layers put out.
    let all: ReadRows
    let weights: Weights
    let dropout: DropoutContext?
    /// For tapes and, with `recompute` or in single precision, outputs.
    let arena: Arena
    /// For everything else that a pass over one layer needs; in bf16 not the arena of the tapes.
    let scratch: Arena
    /// (T, D) twice: if tapes do not contain outputs, the outputs of layers with an even and with an odd number.
    private let outputs: [Matrix]

    /// - Parameter embeddings: (T, D), the first layer's input; a later layer may overwrite it.
    init(
        model: BERTModel, batch: PackedBatch, embeddings: Matrix, last: Int, lowest: Int, recompute: Bool,
        read: ReadRows?, all: ReadRows, weights: Weights, dropout: DropoutContext?, arena: Arena, memory: LaneMemory
    ) {
        (self.model, self.batch, self.last, self.lowest, self.recompute) = (model, batch, last, lowest, recompute)
        (self.read, self.all, self.weights, self.dropout, self.arena) = (read, all, weights, dropout, arena)
        let isRounded = model.precision != .float32
        scratch = isRounded ? memory.scratch : arena
        if isRounded { scratch.reset() }
        outputs =
            isRounded && !recompute
            ? [arena.take(rows: embeddings.rows, columns: embeddings.columns), embeddings] : []
    }

    /// Rows that a layer puts out; nil for all of them.
    func read(_ layer: Int) -> ReadRows? { layer == last ? read : nil }

    /// Computes a layer; what its backward pass needs stays in the arena.
    func keep(_ layer: Int, _ input: Matrix) -> (KeptLayer, output: Matrix) {
        let rows = read(layer)?.rows.count ?? batch.tokenCount
        let output =
            outputs.isEmpty
            ? arena.take(rows: rows, columns: model.shape.width) : outputs[layer % 2].rows(0..<rows)
        let mark = arena.mark
        let tape = forward(layer, input, into: output)
        guard recompute || layer < lowest else { return (.tape(tape), output) }
        arena.release(to: mark)
        return (.input(input), output)
    }

    /// The tape of a layer, computed if need be, in the arena.
    func tape(of kept: KeptLayer, _ layer: Int) -> LayerTape {
        switch kept {
        case .tape(let tape): return tape
        case .input(let input):
            let mark = scratch.mark
            let output = scratch.take(rows: read(layer)?.rows.count ?? input.rows, columns: input.columns)
            let tape = forward(layer, input, into: output)
            if scratch !== arena { scratch.release(to: mark) }
            return tape
        }
    }

    private func forward(_ layer: Int, _ input: Matrix, into output: Matrix) -> LayerTape {
        model.layerForward(
            layer, input, into: output, read: read(layer), all: all, batch, weights, dropout: dropout, arena: arena,
            scratch: scratch)
    }
}
