internal import Synchronization

/// The rows of a table that a gradient touches: ascending row numbers, and one row of values for each.
package struct SparseRows: Sendable {
    package fileprivate(set) var ids: [Int32]
    package fileprivate(set) var width: Int
    /// (ids, width), possibly followed by spare memory.
    fileprivate var values: FloatBuffer

    /// Rows of unspecified value, to be filled by the caller.
    package init(ids: [Int32], width: Int) {
        self.ids = ids
        self.width = width
        values = FloatBuffer(scratch: ids.count * width)
    }

    package var matrix: Matrix { Matrix(values.view[0..<(ids.count * width)], rows: ids.count, columns: width) }

    /// The values of the row at an index of `ids`.
    package func row(_ place: Int) -> FloatView {
        precondition(place < ids.count, "row \(place) of \(ids.count)")
        return values.view.part(from: place * width, count: width)
    }

    /// The first index whose row number is not below `id`.
    package func place(of id: Int32) -> Int {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Touched rows that are no longer needed, and whose memory later ones reuse.
package final class SparseRowPool: Sendable {
    private let spare = Mutex<[SparseRows]>([])

    package init() {}

    /// Rows of unspecified value.
    package func take(_ ids: [Int32], width: Int) -> SparseRows {
        take(atMost: ids.count, width: width) { $0.append(contentsOf: ids) }
    }

    /// Rows of unspecified value, with the numbers that `fill` appends: at most `count`.
    package func take(atMost count: Int, width: Int, _ fill: (inout [Int32]) -> Void) -> SparseRows {
        var rows = spare.withLock { $0.popLast() } ?? SparseRows(ids: [], width: width)
        rows.width = width
        rows.ids.removeAll(keepingCapacity: true)
        fill(&rows.ids)
        precondition(rows.ids.count <= count, "\(rows.ids.count) rows where at most \(count) were to come")
        // Memory that a view still refers to is not reused. New memory is a power of two, so that it soon suffices.
        if rows.values.count < count * width || !isKnownUniquelyReferenced(&rows.values) {
            rows.values = FloatBuffer(scratch: 1 << (Int.bitWidth - max(count * width - 1, 1).leadingZeroBitCount))
        }
        return rows
    }

    /// Takes rows back for reuse. Other copies of them stay valid.
    package func give(back rows: SparseRows?) {
        guard let rows else { return }
        spare.withLock { $0.append(rows) }
    }
}
