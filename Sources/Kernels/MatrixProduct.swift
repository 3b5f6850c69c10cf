internal import CVectorMath
package import Tensors

/// Whether a factor enters a product as it is or transposed.
package enum Orientation: Sendable {
    case plain
    case transposed

    /// CBLAS's number for it.
    fileprivate var number: CInt { self == .plain ? 111 : 112 }
}

/// Writes the product of `a` and `b`, times `scale`, into `c`, or adds it if `accumulate` is set, by the provider in
/// use, see ``BLAS``.
///
/// Shapes after orientation: `a` (m, k), `b` (k, n), `c` (m, n); none aliases another.
/// Equal shapes give equal bits at any alignment, on any thread, at any repetition.
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
    if let product = BLAS.foreignProduct {
        multiplyByLibrary(product, a, aOrientation, b, bOrientation, into: c, scale: scale, accumulate: accumulate)
    } else {
        multiplyInTiles(a, aOrientation, b, bOrientation, into: c, scale: scale, accumulate: accumulate)
    }
}

/// Adds the product of `a` and `b` to `c`: each element's chain starts from +0, and is added when it is finished.
///
/// Shapes and complexity as for ``multiply(_:_:_:_:into:scale:accumulate:)``.
package func addProduct(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, to c: Matrix
) {
    let k = aOrientation == .plain ? a.columns : a.rows
    precondition(k == (bOrientation == .plain ? b.rows : b.columns), "inner dimensions differ")
    precondition(
        c.rows == (aOrientation == .plain ? a.rows : a.columns)
            && c.columns == (bOrientation == .plain ? b.columns : b.rows))
    guard c.rows > 0, c.columns > 0, k > 0 else { return }
    guard BLAS.foreignProduct == nil, k <= Int(APUS_MOST_FINISHED) else {
        let product = Matrix(FloatBuffer(scratch: c.rows * c.columns).view, rows: c.rows, columns: c.columns)
        multiply(a, aOrientation, b, bOrientation, into: product)
        for row in 0..<c.rows { add(product.rows(row..<(row + 1)).elements, to: c.rows(row..<(row + 1)).elements) }
        return
    }
    multiplyInTiles(a, aOrientation, b, bOrientation, into: c, CInt(APUS_ADD_FINISHED))
}

/// The same with Apus's own kernels.
///
/// Each element is one chain of fused multiply-adds in ascending order of the inner dimension, on any processor. The
/// chain starts from +0, or, without a scale, from the old value. A scale multiplies the finished chain once, before
/// the old value is added. The caller has checked the shapes; none is 0.
package func multiplyInTiles(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, into c: Matrix,
    scale: Float = 1, accumulate: Bool
) {
    if scale != 1 && accumulate {
        let product = Matrix(FloatBuffer(scratch: c.rows * c.columns).view, rows: c.rows, columns: c.columns)
        multiplyInTiles(a, aOrientation, b, bOrientation, into: product, scale: scale, accumulate: false)
        for row in 0..<c.rows { add(product.rows(row..<(row + 1)).elements, to: c.rows(row..<(row + 1)).elements) }
        return
    }
    multiplyInTiles(a, aOrientation, b, bOrientation, into: c, CInt(accumulate ? APUS_START_FROM : APUS_OVERWRITE))
    if scale != 1 { for row in 0..<c.rows { multiply(c.rows(row..<(row + 1)).elements, by: scale) } }
}

private func multiplyInTiles(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, into c: Matrix, _ addition: CInt
) {
    var product = apus_product(
        m: c.rows, n: c.columns, k: aOrientation == .plain ? a.columns : a.rows,
        a_row: aOrientation == .plain ? a.stride : 1,
        a_step: aOrientation == .plain ? 1 : a.stride, b_step: bOrientation == .plain ? b.stride : 1,
        b_column: bOrientation == .plain ? 1 : b.stride, c_row: c.stride, add: addition)
    unsafe withScratch(Int(APUS_PRODUCT_SCRATCH)) { scratch in
        unsafe apus_multiply(&product, a.elements.base, b.elements.base, c.elements.base, scratch)
    }
}

/// The same with a library's `cblas_sgemm`, in calls that depend only on the shape.
func multiplyByLibrary(
    _ product: LibraryProduct, _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation,
    into c: Matrix,
    scale: Float, accumulate: Bool
) {
    let rowMajor: CInt = 101
    for rows in OpenBLAS.calls(rows: c.rows) {
        let first = rows.lowerBound * (aOrientation == .plain ? a.stride : 1)
        unsafe product.function(
            rowMajor, aOrientation.number, bOrientation.number, CInt(rows.count), CInt(c.columns),
            CInt(aOrientation == .plain ? a.columns : a.rows),
            scale, a.elements.base + first, CInt(a.stride), b.elements.base, CInt(b.stride), accumulate ? 1 : 0,
            c.elements.base + rows.lowerBound * c.stride,
            CInt(c.stride))
    }
}
