internal import Kernels
package import Tensors

/// The result of one packed batch without training.
package struct InferenceResult: Sendable {
    /// (R, C), row after row: R sentences, or tokens that have answers.
    package let logits: [Float]
    /// (R) loss of each row, neither weighted nor smoothed; empty if the batch has no targets.
    package let losses: [Double]
}

extension BERTModel {
    /// The head's outputs for a packed batch, and its losses if it has targets.
    package func infer(_ batch: PackedBatch, _ weights: Weights, arena: Arena) -> InferenceResult {
        let branch = branch(batch.stream)
        let reading = Reading(batch, branch.head)
        let hidden =
            storedFeatures(batch, arena: arena)
            ?? encode(batch, weights, layers: branch.layers, read: reading.read, arena: arena)
        let logits: Matrix
        if branch.head == .maskedLanguageModel {
            logits = maskedLanguageModelForward(hidden, branch.places, weights, arena: arena).logits
        } else {
            logits = pooledForward(hidden, batch, reading.rows, branch, weights, dropout: nil, arena: arena).logits
        }
        return InferenceResult(
            logits: logits.elements.array,
            losses: sampleLosses(logits, batch.targets, branch.head, LossOptions(), scale: nil))
    }

    /// Output of the embeddings and of each layer, all rows: L + 1 times (T, D).
    package func hiddenStates(_ batch: PackedBatch, _ weights: Weights, arena: Arena) -> [[Float]] {
        var states: [[Float]] = []
        _ = encode(batch, weights, layers: shape.layers, read: nil, arena: arena) {
            states.append($0.elements.array)
        }
        return states
    }

    /// The output of the lowest `layers` layers; a layer's scratch is given back before the next layer begins.
    /// - Parameter read: rows of the last one that are read; nil for all of them.
    func encode(
        _ batch: PackedBatch, _ weights: Weights, layers: Int, read: ReadRows?, arena: Arena,
        observe: ((Matrix) -> Void)? = nil
    ) -> Matrix {
        let kept = [
            arena.take(rows: batch.tokenCount, columns: shape.width),
            arena.take(rows: batch.tokenCount, columns: shape.width),
        ]
        let all = ReadRows(allOf: batch)
        let mark = arena.mark
        var hidden = kept[0]
        hidden.elements.copy(from: embedForward(batch, all, weights, dropout: nil, arena: arena).output.elements)
        arena.release(to: mark)
        observe?(hidden)
        for layer in 0..<layers {
            let read = layer == layers - 1 ? read : nil
            let output = kept[(layer + 1) % 2].rows(0..<(read?.rows.count ?? batch.tokenCount))
            _ = layerForward(
                layer, hidden, into: output, read: read, all: all, batch, weights, dropout: nil, arena: arena,
                scratch: arena)
            hidden = output
            arena.release(to: mark)
            observe?(hidden)
        }
        return hidden
    }
}
