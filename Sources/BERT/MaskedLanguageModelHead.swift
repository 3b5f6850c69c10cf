internal import Kernels
internal import Tensors

/// Values of the masked-LM head's forward pass that its backward pass needs.
struct MaskedLanguageModelTape {
    /// (R, D), encoder output of the masked rows.
    let input: Matrix
    let slope: Matrix
    let normalized: Matrix
    let inverseDeviation: FloatView
    /// (R, D).
    let features: Matrix
    /// (R, V); the backward pass finds the loss's gradient here.
    let logits: Matrix
}

extension BERTModel {
    /// Transform, layer norm and the decoder tied to the word table. Shapes: `input` (R, D); logits (R, V).
    func maskedLanguageModelForward(_ input: Matrix, _ places: HeadPlaces, _ weights: Weights, arena: Arena)
        -> MaskedLanguageModelTape
    {
        let slope = arena.take(rows: input.rows, columns: shape.width)
        let normalized = arena.take(rows: input.rows, columns: shape.width)
        let features = arena.take(rows: input.rows, columns: shape.width)
        let inverse = arena.take(input.rows)
        multiply(input, .plain, weights.matrix(places.transformWeight), .transposed, into: slope)
        activate(shape.activation, bias: weights.vector(places.transformBias), slope, into: normalized)
        layerNorm(
            normalized, NormalizationInput(), gain: weights.vector(places.transformGain),
            shift: weights.vector(places.transformShift),
            epsilon: shape.epsilon, into: features, inverseDeviation: inverse)
        let logits = arena.take(rows: input.rows, columns: shape.vocabulary)
        multiply(features, .plain, weights.matrix(self.places.wordEmbeddings), .transposed, into: logits)
        addBias(weights.vector(places.decoderBias), to: logits)
        return MaskedLanguageModelTape(
            input: input, slope: slope, normalized: normalized, inverseDeviation: inverse, features: features,
            logits: logits)
    }

    /// The backward pass of ``maskedLanguageModelForward`` except for the tied table, which the embeddings complete.
    /// - Parameter lanes: of the R rows.
    /// - Returns: the gradient of the input (R, D).
    func maskedLanguageModelBackward(
        _ tape: MaskedLanguageModelTape, _ places: HeadPlaces, _ lanes: LaneRows, _ weights: Weights,
        sink: GradientSink, arena: Arena
    ) -> Matrix {
        sink.vector(places.decoderBias) { sumColumns(tape.logits, lanes: lanes, into: $0) }
        let gradient = arena.take(rows: tape.input.rows, columns: shape.width)
        multiply(tape.logits, .plain, weights.matrix(self.places.wordEmbeddings), .plain, into: gradient)
        sink.always(places.transformGain..<(places.transformShift + 1)) { both in
            layerNormBackward(
                normalized: tape.normalized, inverseDeviation: tape.inverseDeviation,
                gain: weights.vector(places.transformGain),
                gradient, lanes: lanes, gainGradient: both[0..<shape.width],
                shiftGradient: both[shape.width..<(2 * shape.width)])
        }
        sink.always(places.transformBias) {
            activateBackward(derivative: tape.slope, gradient, lanes: lanes, biasGradient: $0)
        }
        sink.product(places.transformWeight, gradient, tape.input, lanes)
        let inputGradient = arena.take(rows: gradient.rows, columns: shape.width)
        multiply(gradient, .plain, weights.matrix(places.transformWeight), .plain, into: inputGradient)
        return inputGradient
    }
}
