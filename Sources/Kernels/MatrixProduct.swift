internal import CSystem
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
/// - Complexity: O(m n k), divided among the threads of the ``Team``.
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

/// The gradient of a weight: `a`, transposed, times `b`, over the rows of all lanes; written into `c`, or added to it.
///
/// Shapes: `a` (T, m), `b` (T, n), `c` (m, n). Each lane's chains start from +0; the lanes are added in the order of
/// their tree, and the sum is added to `c` when it is finished.
/// - Complexity: O(m n T), with one pass over `c`.
package func multiplyLanes(_ a: Matrix, _ b: Matrix, _ lanes: LaneRows, into c: Matrix, add adds: Bool) {
    precondition(a.rows == b.rows && a.rows == lanes.rows, "\(a.rows), \(b.rows) and \(lanes.rows) rows")
    precondition(c.rows == a.columns && c.columns == b.columns, "(\(c.rows), \(c.columns)) for the product")
    guard c.rows > 0, c.columns > 0 else { return }
    if BLAS.foreignProduct == nil, a.rows > 0 {
        let addition = CInt(adds ? APUS_ADD_FINISHED : APUS_OVERWRITE)
        let isOneChain = lanes.count == 1 && (!adds || a.rows <= Int(APUS_MOST_FINISHED))
        return multiplyInTiles(a, .transposed, b, .plain, into: c, addition, isOneChain ? nil : lanes)
    }
    if lanes.count == 1 && !adds { return multiply(a, .transposed, b, .plain, into: c) }
    let sum = lanes.sum { lane in
        let product = Matrix(FloatBuffer(scratch: c.rows * c.columns).view, rows: c.rows, columns: c.columns)
        let rows = lanes.rows(of: lane)
        multiply(a.rows(rows), .transposed, b.rows(rows), .plain, into: product)
        return product
    } _: { left, right in
        add(right.elements, to: left.elements)
        return left
    }
    for row in 0..<c.rows {
        let (from, to) = (sum.rows(row..<(row + 1)).elements, c.rows(row..<(row + 1)).elements)
        if adds { add(from, to: to) } else { to.copy(from: from) }
    }
}

/// A product as ``multiply(_:_:_:_:into:scale:accumulate:)`` has it, by Apus's own kernels.
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

/// Divides the result among the team: each part is a product by itself.
private func multiplyInTiles(
    _ a: Matrix, _ aOrientation: Orientation, _ b: Matrix, _ bOrientation: Orientation, into c: Matrix,
    _ addition: CInt, _ lanes: LaneRows? = nil
) {
    let k = aOrientation == .plain ? a.columns : a.rows
    let grid = ProductGrid(rows: c.rows, columns: c.columns, inner: k, rowsFirst: aOrientation == .transposed)
    let product = unsafe apus_product(
        m: 0, n: 0, k: k, a_row: aOrientation == .plain ? a.stride : 1,
        a_step: aOrientation == .plain ? 1 : a.stride, b_step: bOrientation == .plain ? b.stride : 1,
        b_column: bOrientation == .plain ? 1 : b.stride, c_row: c.stride, add: addition, lanes: nil)
    func run(_ lanes: UnsafePointer<apus_lanes>?) {
        Team.run(grid.count, threads: Team.threads) { part in
            let (rows, columns) = grid[part]
            var own = unsafe product
            unsafe (own.m, own.n, own.lanes) = (rows.count, columns.count, lanes)
            unsafe apus_multiply(
                &own, a.elements.base + rows.lowerBound * own.a_row,
                b.elements.base + columns.lowerBound * own.b_column,
                c.elements.base + rows.lowerBound * c.stride + columns.lowerBound,
                apus_thread_scratch(Int(APUS_PRODUCT_SCRATCH)))
        }
    }
    if let lanes { unsafe lanes.withLanes { unsafe run($0) } } else { run(nil) }
}

/// How the result of a product is cut into parts that a team computes.
struct ProductGrid {
    private let rows, columns: Int
    /// Rows and columns of a part.
    private let height, width: Int
    private let across: Int
    let count: Int

    /// - Parameter rowsFirst: whether cutting rows repeats less work than cutting columns. Every part copies its
    ///   columns of the right factor, and its rows of the left one if these lie across.
    init(rows: Int, columns: Int, inner: Int, rowsFirst: Bool) {
        (self.rows, self.columns) = (rows, columns)
        func units(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit }
        let (down, beside) = (units(rows, Self.rowUnit), units(columns, Self.columnUnit))
        let wanted = Team.parts(down * beside, work: rows * columns * inner)
        var (cutsDown, cutsBeside) = (1, 1)
        if rowsFirst && rows >= columns {
            cutsDown = min(down, wanted)
            cutsBeside = min(beside, wanted / cutsDown)
        } else {
            cutsBeside = min(beside, wanted)
            cutsDown = min(down, wanted / cutsBeside)
        }
        height = units(down, cutsDown) * Self.rowUnit
        width = units(beside, cutsBeside) * Self.columnUnit
        across = units(columns, width)
        count = units(rows, height) * across
    }

    /// Rows and columns of a part.
    subscript(part: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let (top, left) = (part / across * height, part % across * width)
        return (top..<min(top + height, rows), left..<min(left + width, columns))
    }

    /// A whole number of tiles' rows, and of 128 bytes.
    private static let rowUnit = 42
    private static let columnUnit = 32
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
