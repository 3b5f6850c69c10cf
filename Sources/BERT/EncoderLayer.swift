internal import Kernels
internal import Tensors

/// Values of a layer's forward pass that its backward pass needs.
///
/// A factor of a weight's gradient is nil if the weight is frozen.
struct LayerTape {
    /// (T, D).
    let input: Factor?
    /// Rows that the layer puts out; nil for all of them.
    let read: ReadRows?
    /// (R, D), the input's rows that are read; the input itself if all are.
    let readInput: Factor?
    /// (R, D).
    let queries: Factor
    /// (T, D).
    let keys: Factor
    let values: Factor
    let attention: Attention
    /// Keep bits of the attention's probabilities.
    let probabilityBits: BitView?
    /// (R, D).
    let context: Factor?
    let attentionBits: BitView?
    let attentionNormalized: Matrix
    let attentionInverse: FloatView
    /// (R, D), output of the attention half.
    let attended: Factor?
    /// (R, F), derivative of the activation.
    let slope: Matrix
    /// (R, F).
    let inner: Factor?
    let outerBits: BitView?
    let outerNormalized: Matrix
    let outerInverse: FloatView
    let adapters: AdapterTapes
    /// The lanes of the T rows, and of the R rows.
    let allLanes: LaneRows
    let lanes: LaneRows
}

extension BERTModel {
    /// One encoder layer: attention and feed-forward, each with residual, dropout and layer norm after it.
    ///
    /// Shapes: `input` (T, D); `output` (R, D). `all` are the batch's rows. With `read`, keys and values are computed
    /// for all rows, everything else only for the rows read.
    /// Source: Devlin et al. 2019; post-norm as in Vaswani et al. 2017.
    /// - Parameters:
    ///   - arena: for the tape.
    ///   - scratch: for all else, and afterwards as before. Training in bf16 needs an arena of its own: the tape has
    ///     neither `input` nor `output`. In single precision it is `arena`, since the backward pass reads nearly
    ///     everything. Without a backward pass it is `arena`, too.
    func layerForward(
        _ layer: Int, _ input: Matrix, into output: Matrix, read: ReadRows?, all: ReadRows, _ batch: PackedBatch,
        _ weights: Weights, dropout: DropoutContext?, arena: Arena, scratch: Arena
    ) -> LayerTape {
        let p = places.layers[layer]
        let (d, f) = (shape.width, shape.feedForward)
        let bias = weights.vector(p.projectionBiases)
        let readInput: Matrix
        let projections: Matrix
        let queries: Matrix
        let (order, isApart) = (precision.order, scratch !== arena)
        precondition(order != nil || !isApart, "the tape of single precision has parts in the scratch memory")
        let start = scratch.mark
        defer { if isApart { scratch.release(to: start) } }
        /// Multiplies by weights; returns the factor if their gradient will need it.
        func product(_ x: Matrix, _ places: Range<Int>, _ multiply: (Factor) -> Void) -> Factor? {
            let isKept = order == nil || isApart && layout.isTrained(places)
            let mark = scratch.mark
            defer { if order != nil { scratch.release(to: mark) } }
            let factor = Factor(x, order, arena: isKept ? arena : scratch)
            multiply(factor)
            return isKept ? factor : nil
        }
        func product(_ x: Matrix, _ place: Int, _ weight: EncoderWeight, into y: Matrix) -> Factor? {
            product(x, place..<(place + 1)) { linear($0, by: weight, ofLayer: layer, weights, into: y) }
        }
        var adapters: AdapterTapes = [:]
        func adapt(_ target: LoRA.Target, _ x: Matrix, onto y: Matrix, _ rows: ReadRows?) {
            guard lora != nil else { return }
            self.adapt(
                target, ofLayer: layer, x, onto: y, rows: rows ?? all, batch, weights, dropout: dropout, arena: arena,
                copies: isApart, &adapters)
        }
        let inputFactor: Factor?
        let readFactor: Factor?
        if let read {
            readInput = gather(input, read.rows, arena: scratch)
            projections = scratch.take(rows: input.rows, columns: 2 * d)
            inputFactor = product(input, p.projectionWeights) {
                linear($0, by: .keyValue, ofLayer: layer, weights, into: projections)
            }
            addBias(bias[d..<(3 * d)], to: projections)
            queries = scratch.take(rows: readInput.rows, columns: d)
            readFactor = product(readInput, p.projectionWeights) {
                linear($0, by: .query, ofLayer: layer, weights, into: queries)
            }
            addBias(bias[0..<d], to: queries)
        } else {
            readInput = input
            projections = scratch.take(rows: input.rows, columns: 3 * d)
            inputFactor = product(input, p.projectionWeights) {
                project($0, ofLayer: layer, weights, into: projections)
            }
            readFactor = inputFactor
            addBias(bias, to: projections)
            queries = projections.columns(0..<d)
        }
        let first = projections.columns - 2 * d
        let (keys, values) = (
            projections.columns(first..<(first + d)), projections.columns((first + d)..<(first + 2 * d))
        )
        adapt(.query, readInput, onto: queries, read)
        adapt(.key, input, onto: keys, nil)
        adapt(.value, input, onto: values, nil)
        let rows = read ?? all
        let attention = Attention(
            rows: AttentionRows(keys: batch.offsets, queries: rows.offsets), heads: shape.heads,
            dropout: attentionDropout(layer, read, batch, dropout), precision: precision)
        let context = scratch.take(rows: rows.rows.count, columns: d)
        let probabilityBits = attention.bits(arena: arena)
        let mark = scratch.mark
        let (q, k, v) = (
            Factor(queries, order, arena: arena), Factor(keys, order, arena: arena),
            Factor(values, order, arena: arena)
        )
        attention.forward(queries: q, keys: k, values: v, bits: probabilityBits, into: context, arena: scratch)
        if order != nil { scratch.release(to: mark) }

        let attentionSum = arena.take(rows: context.rows, columns: d)
        let attended = scratch.take(rows: context.rows, columns: d)
        let attentionInverse = arena.take(context.rows)
        let contextFactor = product(context, p.attentionWeight, .attention, into: attentionSum)
        adapt(.attentionOutput, context, onto: attentionSum, rows)
        let attentionBits = dropout.flatMap {
            $0.bits($0.hidden, rows: rows, of: batch, columns: d, layer: layer, site: .attentionOutput, arena: arena)
        }
        let rate = dropout?.hidden ?? DropoutRate(0)
        layerNorm(
            attentionSum,
            NormalizationInput(
                bias: weights.vector(p.attentionBias), bits: attentionBits, rate: rate, residual: readInput),
            gain: weights.vector(p.attentionGain), shift: weights.vector(p.attentionShift), epsilon: shape.epsilon,
            into: attended,
            inverseDeviation: attentionInverse)

        let slope = arena.take(rows: context.rows, columns: f)
        let inner = scratch.take(rows: context.rows, columns: f)
        let attendedFactor = product(attended, p.innerWeight, .inner, into: slope)
        adapt(.intermediate, attended, onto: slope, rows)
        activate(shape.activation, bias: weights.vector(p.innerBias), slope, into: inner)

        let outerSum = arena.take(rows: context.rows, columns: d)
        let outerInverse = arena.take(context.rows)
        let innerFactor = product(inner, p.outerWeight, .outer, into: outerSum)
        adapt(.output, inner, onto: outerSum, rows)
        let outerBits = dropout.flatMap {
            $0.bits($0.hidden, rows: rows, of: batch, columns: d, layer: layer, site: .feedForward, arena: arena)
        }
        layerNorm(
            outerSum,
            NormalizationInput(bias: weights.vector(p.outerBias), bits: outerBits, rate: rate, residual: attended),
            gain: weights.vector(p.outerGain), shift: weights.vector(p.outerShift), epsilon: shape.epsilon,
            into: output,
            inverseDeviation: outerInverse)
        return LayerTape(
            input: inputFactor, read: read, readInput: readFactor, queries: q, keys: k, values: v,
            attention: attention, probabilityBits: probabilityBits, context: contextFactor,
            attentionBits: attentionBits, attentionNormalized: attentionSum, attentionInverse: attentionInverse,
            attended: attendedFactor, slope: slope, inner: innerFactor, outerBits: outerBits,
            outerNormalized: outerSum, outerInverse: outerInverse, adapters: adapters,
            allLanes: all.lanes, lanes: rows.lanes)
    }

    private func attentionDropout(_ layer: Int, _ read: ReadRows?, _ batch: PackedBatch, _ dropout: DropoutContext?)
        -> AttentionDropout?
    {
        guard let dropout, !dropout.attention.isZero else { return nil }
        return AttentionDropout(
            rate: dropout.attention, key: dropout.key, layer: layer, positions: batch.batchPositions,
            queryTokens: read?.tokens ?? batch.positions)
    }

    private func gather(_ x: Matrix, _ rows: [Int32], arena: Arena) -> Matrix {
        let y = arena.take(rows: rows.count, columns: x.columns)
        for (place, row) in rows.enumerated() {
            y.rows(place..<(place + 1)).elements.copy(from: x.rows(Int(row)..<(Int(row) + 1)).elements)
        }
        return y
    }

    /// The backward pass of ``layerForward``; `gradient` (R, D) is overwritten.
    ///
    /// - Parameter inputGradient: (T, D), used if only some rows are read; otherwise `gradient` is overwritten.
    /// - Returns: the gradient of the layer's input (T, D), if `needsInput` is set: one of the two matrices given.
    func layerBackward(
        _ layer: Int, _ gradient: Matrix, _ tape: LayerTape, _ weights: Weights, dropout: DropoutContext?,
        needsInput: Bool,
        inputGradient: Matrix, sink: GradientSink, arena: Arena
    ) -> Matrix? {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let p = places.layers[layer]
        let (d, f) = (shape.width, shape.feedForward)
        let rate = dropout?.hidden ?? DropoutRate(0)
        let (lanes, order) = (tape.lanes, precision.order)
        let scratch = arena.take(rows: gradient.rows, columns: d)
        func adaptBackward(_ target: LoRA.Target, _ gradient: Matrix, onto inputGradient: Matrix?) {
            self.adaptBackward(
                target, ofLayer: layer, gradient, onto: inputGradient, tape, weights, dropout: dropout, sink: sink,
                arena: arena)
        }

        // Feed-forward half. From here on `gradient` is that of the normalized sum, which is the residual's as well.
        sink.always(p.outerGain..<(p.outerShift + 1)) { both in
            layerNormBackward(
                normalized: tape.outerNormalized, inverseDeviation: tape.outerInverse,
                gain: weights.vector(p.outerGain), gradient, lanes: lanes,
                gainGradient: both[0..<d], shiftGradient: both[d..<(2 * d)])
        }
        var branch = gradient
        sink.always(p.outerBias) {
            branch = dropoutBackward(
                gradient, bits: tape.outerBits, rate: rate, scratch: scratch, lanes: lanes, biasGradient: $0)
        }
        sink.product(p.outerWeight, branch, tape.inner, lanes, order)
        let innerGradient = arena.take(rows: gradient.rows, columns: f)
        linearBackward(branch, by: .outer, ofLayer: layer, weights, into: innerGradient, arena: arena)
        adaptBackward(.output, branch, onto: innerGradient)
        sink.always(p.innerBias) {
            activateBackward(derivative: tape.slope, innerGradient, lanes: lanes, biasGradient: $0)
        }
        sink.product(p.innerWeight, innerGradient, tape.attended, lanes, order)
        linearBackward(
            innerGradient, by: .inner, ofLayer: layer, weights, into: gradient, accumulate: true, arena: arena)
        adaptBackward(.intermediate, innerGradient, onto: gradient)
        sink.close(p.secondHalf)

        // Attention half.
        sink.always(p.attentionGain..<(p.attentionShift + 1)) { both in
            layerNormBackward(
                normalized: tape.attentionNormalized, inverseDeviation: tape.attentionInverse,
                gain: weights.vector(p.attentionGain),
                gradient, lanes: lanes, gainGradient: both[0..<d], shiftGradient: both[d..<(2 * d)])
        }
        branch = gradient
        sink.always(p.attentionBias) {
            branch = dropoutBackward(
                gradient, bits: tape.attentionBits, rate: rate, scratch: scratch, lanes: lanes, biasGradient: $0)
        }
        sink.product(p.attentionWeight, branch, tape.context, lanes, order)
        let isNeeded =
            needsInput || sink.isTrained(p.projectionWeights) || sink.isTrained(p.projectionBiases)
            || [LoRA.Target.query, .key, .value].contains {
                p.adapters[$0].map { sink.isTrained($0.down..<($0.up + 1)) } ?? false
            }
        guard isNeeded else {
            adaptBackward(.attentionOutput, branch, onto: nil)
            return nil
        }
        let contextGradient = arena.take(rows: gradient.rows, columns: d)
        linearBackward(branch, by: .attention, ofLayer: layer, weights, into: contextGradient, arena: arena)
        adaptBackward(.attentionOutput, branch, onto: contextGradient)
        return projectionBackward(
            layer, contextGradient, gradient, tape, weights, needsInput: needsInput, inputGradient: inputGradient,
            sink: sink, arena: arena
        ) {
            adaptBackward($0, $1, onto: $2)
        }
    }

    /// From the attention's context back to the layer's input. `gradient` (R, D) is the residual's share.
    private func projectionBackward(
        _ layer: Int, _ contextGradient: Matrix, _ gradient: Matrix, _ tape: LayerTape, _ weights: Weights,
        needsInput: Bool,
        inputGradient: Matrix, sink: GradientSink, arena: Arena, adaptBackward: (LoRA.Target, Matrix, Matrix?) -> Void
    ) -> Matrix? {
        let (d, p) = (shape.width, places.layers[layer])
        let order = precision.order
        let projected = arena.take(rows: tape.allLanes.rows, columns: tape.read == nil ? 3 * d : 2 * d)
        let first = projected.columns - 2 * d
        let (keyGradient, valueGradient) = (
            projected.columns(first..<(first + d)), projected.columns((first + d)..<(first + 2 * d))
        )
        let queryGradient = tape.read == nil ? projected.columns(0..<d) : arena.take(rows: gradient.rows, columns: d)
        tape.attention.backward(
            queries: tape.queries, keys: tape.keys, values: tape.values, bits: tape.probabilityBits,
            contextGradient: contextGradient,
            queryGradient: queryGradient, keyGradient: keyGradient, valueGradient: valueGradient, arena: arena)

        guard let read = tape.read else {
            sink.vector(p.projectionBiases) { sumColumns(projected, lanes: tape.allLanes, into: $0) }
            sink.product(p.projectionWeights, projected, tape.input, tape.allLanes, order)
            if needsInput { projectBackward(projected, ofLayer: layer, weights, onto: gradient, arena: arena) }
            let inputGradient = needsInput ? gradient : nil
            adaptBackward(.query, queryGradient, inputGradient)
            adaptBackward(.key, keyGradient, inputGradient)
            adaptBackward(.value, valueGradient, inputGradient)
            return inputGradient
        }
        sink.vector(p.projectionBiases) {
            sumColumns(queryGradient, lanes: tape.lanes, into: $0[0..<d])
            sumColumns(projected, lanes: tape.allLanes, into: $0[d..<(3 * d)])
        }
        sink.product(p.projectionWeights, outputs: 0..<d, queryGradient, tape.readInput, tape.lanes, order)
        sink.product(p.projectionWeights, outputs: d..<(3 * d), projected, tape.input, tape.allLanes, order)
        guard needsInput else {
            adaptBackward(.query, queryGradient, nil)
            adaptBackward(.key, keyGradient, nil)
            adaptBackward(.value, valueGradient, nil)
            return nil
        }
        linearBackward(
            queryGradient, by: .query, ofLayer: layer, weights, into: gradient, accumulate: true, arena: arena)
        adaptBackward(.query, queryGradient, gradient)
        linearBackward(projected, by: .keyValue, ofLayer: layer, weights, into: inputGradient, arena: arena)
        adaptBackward(.key, keyGradient, inputGradient)
        adaptBackward(.value, valueGradient, inputGradient)
        for (place, row) in read.rows.enumerated() {
            add(gradient.rows(place..<(place + 1)).elements, to: inputGradient.rows(Int(row)..<(Int(row) + 1)).elements)
        }
        return inputGradient
    }
}
