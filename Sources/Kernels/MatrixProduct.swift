internal import COpenBLAS
package import Tensors

/// Whether a factor enters a product as it is or transposed.
package enum Orientation: Sendable {
    case plain
    case transposed
}

/// Writes the product of `a` and `b`, times `scale`, into `c`, or adds it where `accumulate` is set.
///
/// Shapes after orientation: `a` (m, k), `b` (k, n), `c` (m, n); none aliases another.
/// Equal shapes give equal bits at any alignment, on any thread, at any repetition: OpenBLAS runs on one thread.
/// - Complexity: O(m n k) on the calling thread.
package func multiply(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, into c: Matrix,
    scale: Float = 1, accumulate: Bool = false
) {
    let (m, k) = aOrientation == .plain ? (a.rows, a.columns) : (a.columns, a.rows)
    let (inner, n) = bOrientation == .plain ? (b.rows, b.columns) : (b.columns, b.rows)
    precondition(k == inner, "inner dimensions differ: \(k) and \(inner)")
    precondition(c.rows == m && c.columns == n, "the product is (\(m), \(n)), the output (\(c.rows), \(c.columns))")
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
        if !accumulate { for row in 0..<m { c.rows(row..<(row + 1)).elements.fill(0) } }
        return
    }
    unsafe cblas_sgemm(
        CblasRowMajor, aOrientation == .plain ? CblasNoTrans : CblasTrans, bOrientation == .plain ? CblasNoTrans : CblasTrans,
        CInt(m), CInt(n), CInt(k), scale, a.elements.base, CInt(a.stride), b.elements.base, CInt(b.stride), accumulate ? 1 : 0,
        c.elements.base, CInt(c.stride))
}
