package import Tensors

/// The sum of the gradients of one block of lanes; empty if all of them are.
package struct BlockGradient: Sendable {
    package var lanes: Range<Int>
    /// (layout.denseCount); nil if every lane of the block is empty.
    package var dense: FloatView?
    /// Touched word-embedding rows, if that table is row-sparse and trained.
    package var rows: SparseRows?

    package init(lanes: Range<Int>, dense: FloatView?, rows: SparseRows?) {
        self.lanes = lanes
        self.dense = dense
        self.rows = rows
    }

    /// `left + right` for adjacent blocks; if one has no dense part, the other's is used.
    ///
    /// Their unneeded memory returns to `pool`.
    /// - Parameter add: adds its first argument to its second.
    static func sum(
        _ left: BlockGradient, _ right: BlockGradient, _ pool: BufferPool, _ add: (FloatView, FloatView) -> Void
    ) -> BlockGradient {
        precondition(
            left.lanes.upperBound == right.lanes.lowerBound, "lanes \(left.lanes) and \(right.lanes) are not adjacent")
        if let into = left.dense, let from = right.dense {
            add(from, into)
            pool.give(back: from)
        }
        return BlockGradient(
            lanes: left.lanes.lowerBound..<right.lanes.upperBound, dense: left.dense ?? right.dense,
            rows: pool.sum(left.rows, right.rows))
    }
}
