package import Tensors
internal import Kernels

/// The sum of the gradients of one block of lanes, or of none of them where all are empty.
package struct BlockGradient: Sendable {
    package let lanes: Range<Int>
    /// (layout.denseCount); nil where every lane of the block is empty.
    package var dense: FloatBuffer?
    /// Touched word-embedding rows, where that table is row-sparse and trained.
    package var rows: SparseRows?

    package init(lanes: Range<Int>, dense: FloatBuffer?, rows: SparseRows?) {
        self.lanes = lanes
        self.dense = dense
        self.rows = rows
    }

    /// `left + right` for neighbouring blocks; where one has no dense part the other's passes through.
    /// - Parameter add: adds its first argument to its second.
    static func sum(_ left: BlockGradient, _ right: BlockGradient, _ add: (FloatBuffer, FloatBuffer) -> Void) -> BlockGradient {
        precondition(left.lanes.upperBound == right.lanes.lowerBound, "lanes \(left.lanes) and \(right.lanes) are no neighbours")
        if let into = left.dense, let from = right.dense { add(from, into) }
        return BlockGradient(
            lanes: left.lanes.lowerBound..<right.lanes.upperBound, dense: left.dense ?? right.dense,
            rows: SparseRows.sum(left.rows, right.rows))
    }
}

extension SparseRows {
    /// The rows of both, lower lanes first; a row that only one of them has passes through.
    static func sum(_ left: SparseRows?, _ right: SparseRows?) -> SparseRows? {
        guard let left, let right else { return left ?? right }
        var ids: [Int32] = []
        ids.reserveCapacity(left.ids.count + right.ids.count)
        var (i, j) = (0, 0)
        while i < left.ids.count || j < right.ids.count {
            let a = i < left.ids.count ? left.ids[i] : Int32.max
            let b = j < right.ids.count ? right.ids[j] : Int32.max
            ids.append(min(a, b))
            if a <= b { i += 1 }
            if b <= a { j += 1 }
        }
        let result = SparseRows(ids: ids, width: left.width)
        (i, j) = (0, 0)
        for (place, id) in ids.enumerated() {
            let row = result.row(place)
            let inLeft = i < left.ids.count && left.ids[i] == id
            if inLeft {
                row.copy(from: left.row(i))
                i += 1
            }
            if j < right.ids.count && right.ids[j] == id {
                if inLeft { add(right.row(j), to: row) } else { row.copy(from: right.row(j)) }
                j += 1
            }
        }
        return result
    }
}
