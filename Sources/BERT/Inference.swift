internal import Kernels
package import Tensors

/// What one packed batch gives without training.
package struct InferenceResult: Sendable {
    /// (R, C), row after row: R sentences, or masked words.
    package let logits: [Float]
    /// (R) loss of each row; empty where the batch has no targets.
    package let losses: [Double]
}

extension BERTModel {
    /// The head's outputs for a packed batch; computed whole by the calling thread.
    package func infer(_ batch: PackedBatch, parameters: FloatView, arena: Arena) -> InferenceResult {
        let weights = Weights(layout: layout, values: parameters)
        let hidden = encode(batch, weights, allRows: false, arena: arena)
        let logits: Matrix
        switch head {
        case .classification, .regression:
            logits = pooledForward(hidden, batch, weights, dropout: nil, arena: arena).logits
        case .maskedLanguageModel:
            logits = maskedLanguageModelForward(hidden, weights, arena: arena).logits
        }
        return InferenceResult(logits: logits.elements.array, losses: sampleLosses(logits, batch.targets, scale: nil))
    }

    /// Output of the embeddings and of each layer, all rows: L + 1 times (T, D).
    package func hiddenStates(_ batch: PackedBatch, parameters: FloatView, arena: Arena) -> [[Float]] {
        var states: [[Float]] = []
        _ = encode(batch, Weights(layout: layout, values: parameters), allRows: true, arena: arena) { states.append($0.elements.array) }
        return states
    }

    /// The encoder's output; a layer's scratch is given back before the next layer begins.
    private func encode(
        _ batch: PackedBatch, _ weights: Weights, allRows: Bool, arena: Arena, observe: ((Matrix) -> Void)? = nil
    ) -> Matrix {
        let kept = [arena.take(rows: batch.tokenCount, columns: shape.width), arena.take(rows: batch.tokenCount, columns: shape.width)]
        func keep(_ output: Matrix, _ place: Int) -> Matrix {
            let matrix = kept[place % 2].rows(0..<output.rows)
            matrix.elements.copy(from: output.elements)
            return matrix
        }
        let mark = arena.mark
        var hidden = keep(embedForward(batch, weights, dropout: nil, arena: arena).output, 0)
        arena.release(to: mark)
        observe?(hidden)
        for layer in 0..<shape.layers {
            let read = allRows || layer < shape.layers - 1 ? nil : readRows(batch)
            hidden = keep(layerForward(layer, hidden, read: read, batch, weights, dropout: nil, arena: arena).output, layer + 1)
            arena.release(to: mark)
            observe?(hidden)
        }
        return hidden
    }
}
