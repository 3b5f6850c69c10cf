internal import CSystem
internal import CVectorMath
package import Tensors

/// Numbers rounded to bf16, two to a word.
private func words(_ memory: FloatView) -> UnsafeMutablePointer<UInt32> {
    unsafe UnsafeMutableRawPointer(memory.base).assumingMemoryBound(to: UInt32.self)
}

/// The left factor of a product, rounded to bf16: rows of pairs along the inner dimension.
package struct LeftFactor {
    fileprivate let memory: FloatView
    package let rows: Int
    /// Elements of the inner dimension, in all lanes.
    package let inner: Int
    /// Words from one row to the next: an odd number of cache lines, so that rows do not evict each other.
    fileprivate let stride: Int

    private init(rows: Int, inner: Int, pairs: Int, arena: Arena) {
        stride = pairs / 16 % 2 == 1 ? pairs : pairs + 16
        memory = arena.take(apus_stored_rows(rows) * stride)
        (self.rows, self.inner) = (rows, inner)
    }

    /// The rows of `x` (rows, inner), in memory of the arena.
    package init(_ x: Matrix, arena: Arena) {
        self.init(rows: x.rows, inner: x.columns, pairs: apus_stored_pairs(x.columns), arena: arena)
        Team.divide(x.rows, unit: 16, cost: 2 * x.columns) { rows in
            unsafe apus_left_pairs(
                rows.count, x.columns, x.elements.base + rows.lowerBound * x.stride, x.stride,
                words(memory) + rows.lowerBound * stride, stride)
        }
    }

    /// The first number, in bf16: a row's numbers lie one after another, and rows ``elementStride`` numbers apart.
    var elements: UnsafePointer<UInt16> {
        unsafe UnsafeRawPointer(memory.base).assumingMemoryBound(to: UInt16.self)
    }

    var elementStride: Int { 2 * stride }

    /// The columns of `x` (inner, rows), whose rows belong to lanes, in memory of the arena.
    package init(turning x: Matrix, _ lanes: LaneRows, arena: Arena) {
        precondition(x.rows == lanes.rows, "\(x.rows) rows, \(lanes.rows) in lanes")
        self.init(rows: x.columns, inner: x.rows, pairs: lanes.storedPairs, arena: arena)
        Team.divide(x.columns, unit: 32, cost: 2 * x.rows) { columns in
            lanes.forEachWithPairs { rows, first in
                unsafe apus_left_pairs_turned(
                    rows.count, columns.count, x.elements.base + rows.lowerBound * x.stride + columns.lowerBound,
                    x.stride, words(memory) + columns.lowerBound * stride + first, stride)
            }
        }
    }
}

/// The right factor of a product, rounded to bf16: panels of 32 columns, in each of them pairs along the inner
/// dimension.
package struct RightFactor: Sendable {
    fileprivate let memory: FloatView
    package let columns: Int
    /// Elements of the inner dimension, in all lanes.
    package let inner: Int
    /// Words of a panel.
    fileprivate let panel: Int

    /// Elements of memory for a factor in one lane.
    package static func size(columns: Int, inner: Int) -> Int {
        (columns + width - 1) / width * apus_stored_pairs(inner) * width
    }

    package static var width: Int { 32 }
    package var panels: Int { (columns + Self.width - 1) / Self.width }

    /// - Parameter memory: as many elements as ``size(columns:inner:)`` says; to be filled.
    package init(columns: Int, inner: Int, memory: FloatView) {
        (self.columns, self.inner, self.memory) = (columns, inner, memory)
        panel = apus_stored_pairs(inner) * Self.width
    }

    /// The rows of a left factor (inner, columns), which belong to lanes, in memory of the arena.
    package init(_ x: LeftFactor, _ lanes: LaneRows, arena: Arena) {
        precondition(x.rows == lanes.rows, "\(x.rows) rows, \(lanes.rows) in lanes")
        (columns, inner) = (x.inner, x.rows)
        panel = lanes.storedPairs * Self.width
        memory = arena.take((x.inner + Self.width - 1) / Self.width * panel)
        Team.divide(x.inner, unit: Self.width, cost: 2 * x.rows) { columns in
            lanes.forEachWithPairs { rows, first in
                unsafe apus_right_pairs_of_left(
                    rows.count, columns.count,
                    words(x.memory) + rows.lowerBound * x.stride + columns.lowerBound / 2, x.stride,
                    words(memory) + columns.lowerBound / Self.width * panel + first * Self.width, panel)
            }
        }
    }

    /// Rounds some panels of a weight's rows (inner, columns) into the memory.
    package func fill(_ panels: Range<Int>, from x: Matrix) {
        precondition(x.rows == inner && x.columns == columns)
        let first = panels.lowerBound * Self.width
        unsafe apus_right_pairs(
            inner, min(panels.upperBound * Self.width, columns) - first, x.elements.base + first, x.stride,
            words(memory) + panels.lowerBound * panel, panel)
    }

    /// Rounds some panels of a weight's columns, `x` being (columns, inner), into the memory.
    package func fill(_ panels: Range<Int>, turning x: Matrix) {
        precondition(x.columns == inner && x.rows == columns)
        let first = panels.lowerBound * Self.width
        unsafe apus_right_pairs_turned(
            min(panels.upperBound * Self.width, columns) - first, inner, x.elements.base + first * x.stride, x.stride,
            words(memory) + panels.lowerBound * panel, panel)
    }
}

/// Writes the product of two factors in bf16 into `c` (rows, columns), or continues the chains that `c` contains.
/// - Complexity: O(rows columns inner), divided among the team.
package func multiply(
    _ left: LeftFactor, _ right: RightFactor, _ order: ProductOrder, into c: Matrix, accumulate: Bool = false
) {
    multiply(left, right, order, nil, CInt(accumulate ? APUS_START_FROM : APUS_OVERWRITE), into: c)
}

/// The same over the rows of lanes, of which both factors were made: each lane's chains start from +0; the lanes are
/// added in the order of their tree, and the sum is added to `c` if `adds` is set, when it is finished.
package func multiplyLanes(
    _ left: LeftFactor, _ right: RightFactor, _ order: ProductOrder, _ lanes: LaneRows, into c: Matrix, add adds: Bool
) {
    let addition = CInt(adds ? APUS_ADD_FINISHED : APUS_OVERWRITE)
    unsafe lanes.withLanes { unsafe multiply(left, right, order, $0, addition, into: c) }
}

private func multiply(
    _ left: LeftFactor, _ right: RightFactor, _ order: ProductOrder, _ lanes: UnsafePointer<apus_lanes>?,
    _ addition: CInt, into c: Matrix
) {
    precondition(left.inner == right.inner, "inner dimensions differ: \(left.inner) and \(right.inner)")
    precondition(c.rows == left.rows && c.columns == right.columns, "(\(c.rows), \(c.columns)) for the product")
    guard c.rows > 0, c.columns > 0 else { return }
    let grid = PairGrid(rows: c.rows, columns: c.columns, inner: left.inner)
    let product = unsafe apus_pair_product(
        m: 0, n: 0, inner: left.inner, left_row: left.stride, panel: right.panel, c_row: c.stride,
        order: order.number, add: addition, lanes: lanes)
    Team.run(grid.count, threads: Team.threads) { part in
        let (rows, columns) = grid[part]
        var own = unsafe product
        unsafe (own.m, own.n) = (rows.count, columns.count)
        unsafe apus_multiply_in_pairs(
            &own, words(left.memory) + rows.lowerBound * left.stride,
            words(right.memory) + columns.lowerBound / RightFactor.width * right.panel,
            c.elements.base + rows.lowerBound * c.stride + columns.lowerBound,
            apus_thread_scratch(Int(APUS_PRODUCT_SCRATCH)))
    }
}

/// How the result of a product in bf16 is cut into parts that a team computes: along its longer side.
private struct PairGrid {
    private let rows, columns, height, width, across: Int
    let count: Int

    init(rows: Int, columns: Int, inner: Int) {
        (self.rows, self.columns) = (rows, columns)
        func units(_ count: Int, _ unit: Int) -> Int { (count + unit - 1) / unit }
        let (down, beside) = (units(rows, Self.rowUnit), units(columns, RightFactor.width))
        // A unit for bf16 is several times as fast as fused multiply-adds.
        let wanted = Team.parts(down * beside, work: rows * columns * inner / 4)
        let cutsDown = rows > columns ? min(down, wanted) : 1
        let cutsBeside = min(beside, max(1, wanted / cutsDown))
        height = units(down, cutsDown) * Self.rowUnit
        width = units(beside, cutsBeside) * RightFactor.width
        across = units(columns, width)
        count = units(rows, height) * across
    }

    subscript(part: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let (top, left) = (part / across * height, part % across * width)
        return (top..<min(top + height, rows), left..<min(left + width, columns))
    }

    private static let rowUnit = 32
}

extension LaneRows {
    /// Pairs that factors of these rows have in memory.
    fileprivate var storedPairs: Int { (0..<count).reduce(0) { $0 + apus_stored_pairs(rows(of: $1).count) } }

    /// Calls `body` with each lane's rows and the first of its pairs.
    fileprivate func forEachWithPairs(_ body: (Range<Int>, Int) -> Void) {
        var first = 0
        for lane in 0..<count {
            let rows = rows(of: lane)
            if !rows.isEmpty { body(rows, first) }
            first += apus_stored_pairs(rows.count)
        }
    }
}
