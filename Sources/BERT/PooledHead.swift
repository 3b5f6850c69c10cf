internal import Kernels
internal import Tensors

/// What a head's backward pass needs of its forward pass.
struct PooledTape {
    /// (S, D), encoder output of [CLS].
    let input: Matrix
    /// (S, D), after tanh.
    let pooled: Matrix
    /// (S, D), after dropout.
    let features: Matrix
    let bits: BitView?
    /// (S, C); the backward pass finds the loss's gradient here.
    let logits: Matrix
}

extension BERTModel {
    /// Pooler, dropout, classifier. Shapes: `input` (S, D); logits (S, C).
    func pooledForward(_ input: Matrix, _ batch: PackedBatch, _ weights: Weights, dropout: DropoutContext?, arena: Arena) -> PooledTape {
        let pooled = arena.take(rows: input.rows, columns: shape.width)
        multiply(input, .plain, weights.matrix(places.poolerWeight), .transposed, into: pooled)
        tanhInPlace(bias: weights.vector(places.poolerBias), pooled)
        var features = pooled
        let bits = dropout.flatMap {
            $0.bits($0.head, rows: ReadRows(firstOf: batch), of: batch, columns: shape.width, layer: 0, site: .head, arena: arena)
        }
        if let bits, let dropout {
            features = arena.take(rows: input.rows, columns: shape.width)
            Kernels.dropout(pooled, bits: bits, rate: dropout.head, into: features)
        }
        let logits = arena.take(rows: input.rows, columns: head.outputs(shape))
        multiply(features, .plain, weights.matrix(places.classifierWeight), .transposed, into: logits)
        addBias(weights.vector(places.classifierBias), to: logits)
        return PooledTape(input: input, pooled: pooled, features: features, bits: bits, logits: logits)
    }

    /// The backward pass of ``pooledForward``, the gradient of the logits being in the tape.
    /// - Returns: the gradient of the input (S, D), where `needsInput` asks for it.
    func pooledBackward(
        _ tape: PooledTape, _ weights: Weights, dropout: DropoutContext?, needsInput: Bool, sink: GradientSink, arena: Arena
    ) -> Matrix? {
        sink.matrix(places.classifierWeight) { multiply(tape.logits, .transposed, tape.features, .plain, into: $0) }
        sink.vector(places.classifierBias) { sumColumns(tape.logits, into: $0) }
        guard needsInput || sink.isTrained(places.poolerWeight..<(places.poolerBias + 1)) else { return nil }
        let gradient = arena.take(rows: tape.pooled.rows, columns: shape.width)
        multiply(tape.logits, .plain, weights.matrix(places.classifierWeight), .plain, into: gradient)
        if let bits = tape.bits, let dropout { Kernels.dropout(gradient, bits: bits, rate: dropout.head, into: gradient) }
        tanhBackward(tape.pooled, gradient)
        sink.vector(places.poolerBias) { sumColumns(gradient, into: $0) }
        sink.matrix(places.poolerWeight) { multiply(gradient, .transposed, tape.input, .plain, into: $0) }
        guard needsInput else { return nil }
        let inputGradient = arena.take(rows: gradient.rows, columns: shape.width)
        multiply(gradient, .plain, weights.matrix(places.poolerWeight), .plain, into: inputGradient)
        return inputGradient
    }
}
