internal import CVectorMath
internal import Tensors

/// The rows of a packed batch's lanes, one lane after another.
///
/// A sum over rows is formed for each lane by itself, in the order of its rows; then the lanes' sums are added in the
/// order of the reduction tree. So the bits do not depend on which lanes are computed together.
package struct LaneRows: Sendable {
    /// (lanes + 1) first row of each lane, then the number of rows.
    package private(set) var first: [Int32]
    /// (lanes) how often, after each lane, the last sum is added to the one before it.
    package private(set) var joins: [UInt8]

    /// One lane with all rows.
    package init(one rows: Int) {
        first = [0, Int32(rows)]
        joins = [0]
    }

    /// Replaces the lanes, in the same memory.
    /// - Parameter first: the first row of each lane, then the number of rows; ascending.
    package mutating func set(first: some Sequence<Int32>, joins: [UInt8]) {
        self.first.removeAll(keepingCapacity: true)
        self.first.append(contentsOf: first)
        if self.joins != joins { self.joins = joins }
        precondition(self.first.count == joins.count + 1, "\(self.first.count) bounds of \(joins.count) lanes")
        precondition(joins.count <= Int(APUS_MOST_LANES), "\(joins.count) lanes in one batch")
        precondition(
            joins.reduce(0) { $0 + Int($1) } == joins.count - 1, "the sums of \(joins.count) lanes do not become one")
    }

    /// Replaces the lanes by one with all rows, in the same memory.
    package mutating func set(one rows: Int) {
        first.removeAll(keepingCapacity: true)
        first.append(0)
        first.append(Int32(rows))
        if joins.count != 1 { joins = [0] }
    }

    package var count: Int { joins.count }
    package var rows: Int { Int(first[first.count - 1]) }
    package func rows(of lane: Int) -> Range<Int> { Int(first[lane])..<Int(first[lane + 1]) }

    /// Lends the lanes in the form that the C kernels take.
    func withLanes(_ body: (UnsafePointer<apus_lanes>) -> Void) {
        unsafe first.withUnsafeBufferPointer { first in
            unsafe joins.withUnsafeBufferPointer { joins in
                guard let rows = first.baseAddress, let counts = joins.baseAddress else { return }
                var lanes = unsafe apus_lanes(count: joins.count, first: rows, joins: counts)
                unsafe body(&lanes)
            }
        }
    }

    /// Adds up something that each lane has, in the order of the tree.
    /// - Parameters:
    ///   - value: of a lane.
    ///   - add: the sum of two adjacent groups of lanes, lower lanes first.
    package func sum<Value>(of value: (Int) -> Value, _ add: (Value, Value) -> Value) -> Value {
        if count == 1 { return value(0) }
        var waiting: [Value] = []
        for lane in 0..<count {
            waiting.append(value(lane))
            for _ in 0..<joins[lane] {
                let right = waiting.removeLast()
                waiting.append(add(waiting.removeLast(), right))
            }
        }
        return waiting[0]
    }
}

/// Runs a kernel that sums columns: by the team, a group of columns each.
func divideColumns(
    _ x: Matrix, _ lanes: LaneRows, _ body: (_ columns: Range<Int>, _ lanes: UnsafePointer<apus_lanes>) -> Void
) {
    unsafe lanes.withLanes { lanes in
        Team.divide(x.columns, unit: 32, cost: 16 * x.rows) { unsafe body($0, lanes) }
    }
}
