internal import Kernels
internal import Tensors

/// Values of a pooled head's forward pass that its backward pass needs.
struct PooledTape {
    /// (R, D), one row per sentence, or per token that has an answer.
    let input: Matrix
    /// (R, D), after BERT's pooler; the input itself if the head has none.
    let pooled: Matrix
    /// (R, D), after dropout.
    let features: Matrix
    let bits: BitView?
    /// (R, C); the backward pass finds the loss's gradient here.
    let logits: Matrix
}

extension BERTModel {
    /// Pooling, dropout, classifier. Shapes: `hidden` (R, D), or (T, D) if the head uses mean pooling; logits (R, C).
    /// - Parameter rows: those that the logits belong to.
    func pooledForward(
        _ hidden: Matrix, _ batch: PackedBatch, _ rows: ReadRows, _ branch: Branch, _ weights: Weights,
        dropout: DropoutContext?, arena: Arena
    ) -> PooledTape {
        var input = hidden
        if branch.head.pooling == .mean {
            input = arena.take(rows: batch.sentenceCount, columns: shape.width)
            meanRows(hidden, offsets: batch.offsets, into: input)
        }
        var pooled = input
        if let pooler = branch.places.poolerWeight {
            pooled = arena.take(rows: input.rows, columns: shape.width)
            multiply(input, .plain, weights.matrix(pooler), .transposed, into: pooled)
            tanhInPlace(bias: weights.vector(branch.places.poolerBias), pooled)
        }
        var features = pooled
        let bits = dropout.flatMap {
            $0.bits($0.head, rows: rows, of: batch, columns: shape.width, layer: 0, site: .head, arena: arena)
        }
        if let bits, let dropout {
            features = arena.take(rows: input.rows, columns: shape.width)
            Kernels.dropout(pooled, bits: bits, rate: dropout.head, into: features)
        }
        let logits = arena.take(rows: input.rows, columns: branch.head.outputs(shape))
        multiply(features, .plain, weights.matrix(branch.places.classifierWeight), .transposed, into: logits)
        addBias(weights.vector(branch.places.classifierBias), to: logits)
        return PooledTape(input: input, pooled: pooled, features: features, bits: bits, logits: logits)
    }

    /// The backward pass of ``pooledForward``; the tape holds the gradient of the logits.
    /// - Parameter lanes: of the R rows.
    /// - Returns: the gradient of `hidden`, if `needsInput` is set.
    func pooledBackward(
        _ tape: PooledTape, _ batch: PackedBatch, _ lanes: LaneRows, _ branch: Branch, _ weights: Weights,
        dropout: DropoutContext?, needsInput: Bool, sink: GradientSink, arena: Arena
    ) -> Matrix? {
        let places = branch.places
        sink.product(places.classifierWeight, tape.logits, tape.features, lanes)
        sink.vector(places.classifierBias) { sumColumns(tape.logits, lanes: lanes, into: $0) }
        let trainsPooler = places.poolerWeight.map { sink.isTrained($0..<(places.poolerBias + 1)) } ?? false
        guard needsInput || trainsPooler else { return nil }
        var gradient = arena.take(rows: tape.pooled.rows, columns: shape.width)
        multiply(tape.logits, .plain, weights.matrix(places.classifierWeight), .plain, into: gradient)
        if let bits = tape.bits, let dropout {
            Kernels.dropout(gradient, bits: bits, rate: dropout.head, into: gradient)
        }
        if let pooler = places.poolerWeight {
            tanhBackward(tape.pooled, gradient)
            sink.vector(places.poolerBias) { sumColumns(gradient, lanes: lanes, into: $0) }
            sink.product(pooler, gradient, tape.input, lanes)
            guard needsInput else { return nil }
            let inputGradient = arena.take(rows: gradient.rows, columns: shape.width)
            multiply(gradient, .plain, weights.matrix(pooler), .plain, into: inputGradient)
            gradient = inputGradient
        }
        guard branch.head.pooling == .mean else { return gradient }
        let spread = arena.take(rows: batch.tokenCount, columns: shape.width)
        meanRowsBackward(gradient, offsets: batch.offsets, into: spread)
        return spread
    }
}
