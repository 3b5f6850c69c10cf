internal import CVectorMath
package import Tensors

/// `y = y + x`, element by element.
package func add(_ x: FloatView, to y: FloatView) {
    precondition(x.count == y.count, "\(x.count) and \(y.count) elements")
    unsafe apus_add(x.count, x.base, y.base)
}

/// `x = factor * x`, element by element.
package func multiply(_ x: FloatView, by factor: Float) { unsafe apus_scale(x.count, factor, x.base) }

/// Adds `bias` to each row of `x`. Shapes: `x` (T, n); `bias` (n).
package func addBias(_ bias: FloatView, to x: Matrix) {
    precondition(bias.count == x.columns, "a bias of \(bias.count) for \(x.columns) columns")
    Team.divide(x.rows, unit: 1, cost: 16 * x.columns) { rows in
        unsafe apus_add_bias(
            rows.count, x.columns, x.stride, bias.base, x.elements.base + rows.lowerBound * x.stride)
    }
}

/// Column sums: in each lane in fixed blocks of rows from its first row on, see ``LaneRows``.
///
/// Shapes: `x` (T, n); `sums` (n).
package func sumColumns(_ x: Matrix, lanes: LaneRows, into sums: FloatView) {
    precondition(sums.count == x.columns, "\(sums.count) sums of \(x.columns) columns")
    precondition(lanes.rows == x.rows, "lanes of \(lanes.rows) rows for \(x.rows)")
    unsafe divideColumns(x, lanes) { columns, lanes in
        unsafe apus_column_sums(
            lanes, columns.count, x.stride, x.elements.base + columns.lowerBound, sums.base + columns.lowerBound)
    }
}

/// Sum of squares over at most one block of ``BlockSum/size`` elements, in double precision.
package func sumOfSquares(_ x: FloatView) -> Double { unsafe apus_sum_of_squares(x.count, x.base) }

/// Whether no element is infinite or NaN.
package func isFinite(_ x: FloatView) -> Bool { unsafe apus_all_finite(x.count, x.base) != 0 }

/// The exponential of each element.
package func exponential(_ x: FloatView, into y: FloatView) {
    precondition(x.count == y.count)
    unsafe apus_exp(x.count, x.base, y.base)
}

/// The hyperbolic tangent of each element.
package func hyperbolicTangent(_ x: FloatView, into y: FloatView) {
    precondition(x.count == y.count)
    unsafe apus_tanh(x.count, x.base, y.base)
}

/// Uses another instruction set's variant of the kernels; false if the processor lacks it. For tests.
package func useVectorLevel(_ name: String) -> Bool { unsafe apus_use_vector_level(name) != 0 }

/// Sets whether products read their factors in place instead of copying them first. For tests.
package var readsInPlace: Bool {
    get { apus_reads_in_place() != 0 }
    set { apus_read_in_place(newValue ? 1 : 0) }
}
