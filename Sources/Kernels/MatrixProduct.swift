internal import COpenBLAS
internal import CVectorMath
package import Tensors

/// Whether a factor enters a product as it is or transposed.
package enum Orientation: Sendable {
    case plain
    case transposed
}

/// Writes the product of `a` and `b`, times `scale`, into `c`, or adds it where `accumulate` is set.
///
/// Shapes after orientation: `a` (m, k), `b` (k, n), `c` (m, n); none aliases another.
/// Equal shapes give equal bits at any alignment, on any thread, at any repetition: the choice of a kernel looks at shapes alone,
/// and OpenBLAS runs on one thread. Large products are one chain of fused multiply-adds for each element, on any processor.
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
    // From these sizes on our own kernel measures 1.0 to 1.5 times as fast as OpenBLAS with AVX-512 (Zen 4; 0.6 times at n = 16). With
    // AVX2 it is 0.8 to 1.2 times as fast, slower below some 32 rows: one rule all the same, so that bits do not depend on the level.
    if scale == 1 && m >= 8 && n >= 128 && k >= 8 {
        return multiplyInTiles(a, aOrientation, b, bOrientation, into: c, accumulate: accumulate)
    }
    unsafe cblas_sgemm(
        CblasRowMajor, aOrientation == .plain ? CblasNoTrans : CblasTrans, bOrientation == .plain ? CblasNoTrans : CblasTrans,
        CInt(m), CInt(n), CInt(k), scale, a.elements.base, CInt(a.stride), b.elements.base, CInt(b.stride), accumulate ? 1 : 0,
        c.elements.base, CInt(c.stride))
}

/// The same by our own kernel, for any shape.
///
/// Each element is one chain of fused multiply-adds in the order of the inner dimension: the same bits on any processor.
/// Shapes have been checked.
package func multiplyInTiles(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, into c: Matrix, accumulate: Bool
) {
    var product = apus_product(
        m: c.rows, n: c.columns, k: aOrientation == .plain ? a.columns : a.rows, a_row: aOrientation == .plain ? a.stride : 1,
        a_step: aOrientation == .plain ? 1 : a.stride, b_step: bOrientation == .plain ? b.stride : 1,
        b_column: bOrientation == .plain ? 1 : b.stride, c_row: c.stride, add: accumulate ? 1 : 0)
    unsafe withScratch(Int(APUS_PRODUCT_SCRATCH)) { scratch in
        unsafe apus_multiply(&product, a.elements.base, b.elements.base, c.elements.base, scratch)
    }
}
