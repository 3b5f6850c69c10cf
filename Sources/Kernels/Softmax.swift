internal import CVectorMath
package import Tensors

/// `x = softmax(scale · x)` row by row.
///
/// Shapes: `x` (R, n) with a stride that is a multiple of 16; the padding becomes 0.
package func softmaxRows(_ x: Matrix, scale: Float) {
    precondition(x.stride % 16 == 0 && x.elements.count >= x.rows * x.stride, "rows of scores lie whole vectors apart")
    unsafe apus_softmax(x.rows, x.columns, x.stride, scale, x.elements.base)
}

/// `dp = scale · p (dp - Σ p dp)` row by row: from the gradient of the probabilities to that of the unscaled scores.
package func softmaxRowsBackward(_ p: Matrix, _ dp: Matrix, scale: Float) {
    precondition(p.stride % 16 == 0 && dp.stride == p.stride && dp.columns == p.columns && dp.rows == p.rows)
    precondition(dp.elements.count >= dp.rows * dp.stride && p.elements.count >= p.rows * p.stride)
    unsafe apus_softmax_backward(p.rows, p.columns, p.stride, scale, p.elements.base, dp.elements.base)
}
