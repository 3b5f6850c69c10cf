internal import CVectorMath
package import Tensors

/// The nonlinearity of the feed-forward part.
package enum Activation: String, Sendable, CaseIterable, Codable {
    /// x Φ(x), with the error function.
    case gelu
    /// The tanh approximation of it (Hendrycks and Gimpel 2016).
    case geluTanh
    case relu

    fileprivate var code: CInt {
        switch self {
        case .gelu: CInt(APUS_GELU)
        case .geluTanh: CInt(APUS_GELU_TANH)
        case .relu: CInt(APUS_RELU)
        }
    }
}

/// `y = f(x + bias)` and `x = f'(x + bias)`: the derivative replaces the product, for the backward pass.
///
/// Shapes: `x`, `y` (T, F); `bias` (F).
package func activate(_ activation: Activation, bias: FloatView, _ x: Matrix, into y: Matrix) {
    precondition(
        x.isContiguous && y.isContiguous && bias.count == x.columns && y.rows == x.rows && y.columns == x.columns)
    Team.divide(x.rows, unit: 1, cost: 48 * x.columns) { rows in
        let first = rows.lowerBound * x.columns
        unsafe apus_bias_activation(
            activation.code, rows.count, x.columns, bias.base, x.elements.base + first, y.elements.base + first)
    }
}

/// `dy = dy * derivative`; `biasGradient` becomes the column sums of the result, see ``LaneRows``.
///
/// Shapes: `derivative`, `dy` (T, F); `biasGradient` (F).
package func activateBackward(derivative: Matrix, _ dy: Matrix, lanes: LaneRows, biasGradient: FloatView) {
    precondition(
        derivative.isContiguous && dy.isContiguous && derivative.columns == dy.columns && derivative.rows == dy.rows)
    precondition(biasGradient.count == dy.columns && lanes.rows == dy.rows)
    unsafe divideColumns(dy, lanes) { columns, lanes in
        let first = columns.lowerBound
        unsafe apus_activation_backward(
            lanes, columns.count, dy.columns, derivative.elements.base + first, dy.elements.base + first,
            biasGradient.base + first)
    }
}

/// `x = tanh(x + bias)`. Shapes: `x` (R, D); `bias` (D).
package func tanhInPlace(bias: FloatView, _ x: Matrix) {
    precondition(x.isContiguous && bias.count == x.columns)
    unsafe apus_bias_tanh(x.rows, x.columns, bias.base, x.elements.base)
}

/// `dy = dy (1 - y²)`, `y` being the output of tanh.
package func tanhBackward(_ y: Matrix, _ dy: Matrix) {
    precondition(y.isContiguous && dy.isContiguous && y.rows == dy.rows && y.columns == dy.columns)
    unsafe apus_tanh_backward(y.rows * y.columns, y.elements.base, dy.elements.base)
}
