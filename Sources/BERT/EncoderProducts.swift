internal import Kernels
internal import Tensors

/// The encoder's products in the model's precision.
extension BERTModel {
    /// `y = x Wᵀ`.
    ///
    /// Shapes: `x` (R, inputs), `y` (R, outputs).
    func linear(_ x: Factor, by weight: EncoderWeight, ofLayer layer: Int, _ weights: Weights, into y: Matrix) {
        switch x {
        case .single(let x):
            let matrix = weights.matrix(places.layers[layer], weight, width: shape.width)
            Kernels.multiply(x, .plain, matrix, .transposed, into: y)
        case .rounded(let left):
            let pairs = packed(weights)
            Kernels.multiply(left, pairs.forward(layer, weight), pairs.order, into: y)
        }
    }

    private func packed(_ weights: Weights) -> PairedWeights {
        guard let pairs = weights.pairs else { preconditionFailure("a factor in bf16 for weights that are not packed") }
        return pairs
    }

    /// `dx = dy W`, or, with `accumulate`, the chains that `dx` contains continued.
    ///
    /// Shapes: `dy` (R, outputs), `dx` (R, inputs).
    func linearBackward(
        _ dy: Matrix, by weight: EncoderWeight, ofLayer layer: Int, _ weights: Weights, into dx: Matrix,
        accumulate: Bool = false, arena: Arena
    ) {
        guard let pairs = weights.pairs else {
            let matrix = weights.matrix(places.layers[layer], weight, width: shape.width)
            return Kernels.multiply(dy, .plain, matrix, .plain, into: dx, accumulate: accumulate)
        }
        let mark = arena.mark
        let left = LeftFactor(dy, arena: arena)
        Kernels.multiply(left, pairs.backward(layer, weight), pairs.order, into: dx, accumulate: accumulate)
        arena.release(to: mark)
    }

    /// Query, key and value of the same rows: `projections` (R, 3D).
    func project(_ x: Factor, ofLayer layer: Int, _ weights: Weights, into projections: Matrix) {
        let d = shape.width
        switch x {
        case .single(let x):
            let weight = weights.matrix(places.layers[layer].projectionWeights)
            Kernels.multiply(x, .plain, weight, .transposed, into: projections)
        case .rounded:
            linear(x, by: .query, ofLayer: layer, weights, into: projections.columns(0..<d))
            linear(x, by: .keyValue, ofLayer: layer, weights, into: projections.columns(d..<(3 * d)))
        }
    }

    /// The way back: the gradient of the projections (R, 3D), times their weights, added to `gradient` (R, D).
    func projectBackward(
        _ projected: Matrix, ofLayer layer: Int, _ weights: Weights, onto gradient: Matrix, arena: Arena
    ) {
        let d = shape.width
        guard weights.pairs != nil else {
            let weight = weights.matrix(places.layers[layer].projectionWeights)
            return Kernels.multiply(projected, .plain, weight, .plain, into: gradient, accumulate: true)
        }
        linearBackward(
            projected.columns(0..<d), by: .query, ofLayer: layer, weights, into: gradient, accumulate: true,
            arena: arena)
        linearBackward(
            projected.columns(d..<(3 * d)), by: .keyValue, ofLayer: layer, weights, into: gradient, accumulate: true,
            arena: arena)
    }
}

extension Weights {
    /// One weight of a layer's products (outputs, inputs).
    func matrix(_ places: BERTModel.LayerPlaces, _ weight: EncoderWeight, width d: Int) -> Matrix {
        switch weight {
        case .query: matrix(places.projectionWeights).rows(0..<d)
        case .keyValue: matrix(places.projectionWeights).rows(d..<(3 * d))
        case .attention: matrix(places.attentionWeight)
        case .inner: matrix(places.innerWeight)
        case .outer: matrix(places.outerWeight)
        }
    }
}
