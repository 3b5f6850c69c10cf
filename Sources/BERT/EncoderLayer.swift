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
        var pass = LayerPass(
            self, layer, read: read, all: all, batch, weights, dropout: dropout, arena: arena, scratch: scratch)
        return pass.run(input, into: output)
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
        let (lanes, order) = (tape.lanes, precision.order)
        let scratch = arena.take(rows: gradient.rows, columns: shape.width)
        func adaptBackward(_ target: LoRA.Target, _ gradient: Matrix, onto inputGradient: Matrix?) {
            self.adaptBackward(
                target, ofLayer: layer, gradient, onto: inputGradient, tape, weights, dropout: dropout, sink: sink,
                arena: arena)
        }

        // Feed-forward half. From here on `gradient` is that of the normalized sum, which is the residual's as well.
        var branch = normBackward(
            gradient, normalized: tape.outerNormalized, tape.outerInverse, bits: tape.outerBits,
            norm: p.outerGain..<(p.outerShift + 1), bias: p.outerBias, tape, weights, dropout: dropout, sink: sink,
            scratch: scratch)
        sink.product(p.outerWeight, branch, tape.inner, lanes, order)
        let innerGradient = arena.take(rows: gradient.rows, columns: shape.feedForward)
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
        branch = normBackward(
            gradient, normalized: tape.attentionNormalized, tape.attentionInverse, bits: tape.attentionBits,
            norm: p.attentionGain..<(p.attentionShift + 1), bias: p.attentionBias, tape, weights, dropout: dropout,
            sink: sink, scratch: scratch)
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
        let contextGradient = arena.take(rows: gradient.rows, columns: shape.width)
        linearBackward(branch, by: .attention, ofLayer: layer, weights, into: contextGradient, arena: arena)
        adaptBackward(.attentionOutput, branch, onto: contextGradient)
        return projectionBackward(
            layer, contextGradient, gradient, tape, weights, needsInput: needsInput, inputGradient: inputGradient,
            sink: sink, arena: arena
        ) {
            adaptBackward($0, $1, onto: $2)
        }
    }

    /// Back through the layer norm and the dropout at the end of a half; `gradient` becomes that of the normalized sum.
    ///
    /// - Parameters:
    ///   - norm: the places of gain and shift.
    ///   - bias: the place of the bias before dropout.
    /// - Returns: the gradient of the half's last product: `gradient` itself, or `scratch` if something was dropped.
    private func normBackward(
        _ gradient: Matrix, normalized: Matrix, _ inverse: FloatView, bits: BitView?, norm: Range<Int>, bias: Int,
        _ tape: LayerTape, _ weights: Weights, dropout: DropoutContext?, sink: GradientSink, scratch: Matrix
    ) -> Matrix {
        let d = shape.width
        sink.always(norm) { both in
            layerNormBackward(
                normalized: normalized, inverseDeviation: inverse, gain: weights.vector(norm.lowerBound), gradient,
                lanes: tape.lanes, gainGradient: both[0..<d], shiftGradient: both[d..<(2 * d)])
        }
        var branch = gradient
        sink.always(bias) {
            branch = dropoutBackward(
                gradient, bits: bits, rate: dropout?.hidden ?? DropoutRate(0), scratch: scratch, lanes: tape.lanes,
                biasGradient: $0)
        }
        return branch
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
