internal import Reduction
internal import Synchronization
package import Tensors

/// Gradient buffers that are reused from step to step.
package final class BufferPool: Sendable {
    private let free = Mutex<[FloatView]>([])
    private let size: Int
    /// Of word rows.
    package let rows = SparseRowPool()

    /// - Parameter size: elements of each buffer.
    package init(size: Int) { self.size = size }

    /// A buffer of unspecified value: a free one, or a new one.
    package func take() -> FloatView { free.withLock { $0.popLast() } ?? FloatBuffer(count: size, whole: size).view }

    /// Takes a buffer back for reuse.
    package func give(back buffer: FloatView?) {
        guard let buffer else { return }
        free.withLock { $0.append(buffer) }
    }

    /// Takes back the memory of a block's sum.
    package func give(back block: BlockGradient) {
        give(back: block.dense)
        rows.give(back: block.rows)
    }

    /// The rows of both, lower lanes first, whose memory then belongs to the pool; a row that only one of them has is
    /// copied.
    func sum(_ left: SparseRows?, _ right: SparseRows?) -> SparseRows? {
        guard let first = left, let second = right else { return left ?? right }
        defer {
            rows.give(back: first)
            rows.give(back: second)
        }
        return .sum(first, second, from: rows)
    }
}
