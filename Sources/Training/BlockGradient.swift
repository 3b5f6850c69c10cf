package import Tensors
internal import Collectives

/// The sum of the gradients of one block of lanes, or of none of them where all are empty.
package struct BlockGradient: Sendable {
    package let lanes: Range<Int>
    /// (layout.denseCount); nil where every lane of the block is empty.
    package var dense: FloatView?
    /// Touched word-embedding rows, where that table is row-sparse and trained.
    package var rows: SparseRows?

    package init(lanes: Range<Int>, dense: FloatView?, rows: SparseRows?) {
        self.lanes = lanes
        self.dense = dense
        self.rows = rows
    }

    /// `left + right` for neighbouring blocks; where one has no dense part the other's passes through.
    /// - Parameter add: adds its first argument to its second.
    static func sum(_ left: BlockGradient, _ right: BlockGradient, _ add: (FloatView, FloatView) -> Void) -> BlockGradient {
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
        return .sum(of: [left, right], in: .sum(.leaf(0), .leaf(1)), width: left.width)
    }
}
