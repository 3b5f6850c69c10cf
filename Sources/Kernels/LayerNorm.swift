internal import CVectorMath
package import Tensors

/// The terms that are added to the rows before they are normalized.
package struct NormalizationInput {
    /// (D), added first.
    package var bias: FloatView?
    /// Dropout after the bias.
    package var bits: BitView?
    package var rate: DropoutRate
    /// (≥ R, D), added last; row r of x gets row `residualRows[r]`, or r itself.
    package var residual: Matrix?
    package var residualRows: [Int32]?

    package init(
        bias: FloatView? = nil, bits: BitView? = nil, rate: DropoutRate = DropoutRate(0), residual: Matrix? = nil,
        residualRows: [Int32]? = nil
    ) {
        self.bias = bias
        self.bits = bits
        self.rate = rate
        self.residual = residual
        self.residualRows = residualRows
    }
}

/// Layer normalization of `dropout(x + bias) + residual`, row by row, then gain and shift.
///
/// Shapes: `x`, `y` (R, D); `gain`, `shift` (D); `inverseDeviation` (R). `x` becomes the normalized rows before gain
/// and shift, which the backward pass needs.
/// Source: Ba et al. 2016, eq. 4; the variance is the population variance, as in PyTorch.
package func layerNorm(
    _ x: Matrix, _ input: NormalizationInput, gain: FloatView, shift: FloatView, epsilon: Float, into y: Matrix,
    inverseDeviation: FloatView
) {
    precondition(x.isContiguous && y.isContiguous && x.rows == y.rows && x.columns == y.columns)
    precondition(gain.count == x.columns && shift.count == x.columns && inverseDeviation.count == x.rows)
    precondition(input.bias.map { $0.count == x.columns } ?? true)
    if let residual = input.residual {
        precondition(residual.isContiguous && residual.columns == x.columns)
        if let rows = input.residualRows {
            precondition(rows.count == x.rows && rows.allSatisfy { $0 >= 0 && $0 < residual.rows })
        } else {
            precondition(residual.rows == x.rows)
        }
    }
    if let bits = input.bits { precondition(bits.count >= x.rows * BitView.words(columns: x.columns)) }
    let n = x.columns
    let words = BitView.words(columns: n)
    func run(_ residualRows: UnsafePointer<Int32>?) {
        Team.divide(x.rows, unit: 1, cost: 32 * n) { rows in
            let first = rows.lowerBound
            let residual = unsafe input.residual?.elements.base
            unsafe apus_layer_norm(
                rows.count, n, input.bias?.base, input.bits.map { unsafe $0.base + first * words }, input.rate.scale,
                residualRows == nil ? residual.map { unsafe $0 + first * n } : residual,
                residualRows.map { unsafe $0 + first }, gain.base, shift.base, epsilon, x.elements.base + first * n,
                y.elements.base + first * n, inverseDeviation.base + first)
        }
    }
    if let rows = input.residualRows {
        unsafe rows.withUnsafeBufferPointer { unsafe run($0.baseAddress) }
    } else {
        run(nil)
    }
}

/// The backward pass of ``layerNorm``: `dy` becomes the gradient of the normalized sum.
///
/// Shapes: `normalized`, `dy` (R, D); `inverseDeviation` (R); `gain`, `gainGradient`, `shiftGradient` (D). The
/// gradients of gain and shift are column sums, see ``LaneRows``.
package func layerNormBackward(
    normalized: Matrix, inverseDeviation: FloatView, gain: FloatView, _ dy: Matrix, lanes: LaneRows,
    gainGradient: FloatView, shiftGradient: FloatView
) {
    precondition(
        normalized.isContiguous && dy.isContiguous && normalized.rows == dy.rows && normalized.columns == dy.columns)
    precondition(gain.count == dy.columns && gainGradient.count == dy.columns && shiftGradient.count == dy.columns)
    precondition(inverseDeviation.count == dy.rows && lanes.rows == dy.rows)
    let n = dy.columns
    // Both sums read what the second pass overwrites.
    unsafe divideColumns(dy, lanes) { columns, lanes in
        let first = columns.lowerBound
        unsafe apus_gain_and_shift(
            lanes, columns.count, n, normalized.elements.base + first, dy.elements.base + first,
            gainGradient.base + first, shiftGradient.base + first)
    }
    Team.divide(dy.rows, unit: 1, cost: 32 * n) { rows in
        let first = rows.lowerBound
        unsafe apus_layer_norm_backward(
            rows.count, n, normalized.elements.base + first * n, inverseDeviation.base + first, gain.base,
            dy.elements.base + first * n)
    }
}
