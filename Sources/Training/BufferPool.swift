internal import Synchronization
package import Tensors

/// Gradient buffers that are used again from step to step.
package final class BufferPool: Sendable {
    private let free = Mutex<[FloatBuffer]>([])
    private let size: Int

    /// - Parameter size: elements of each buffer.
    package init(size: Int) { self.size = size }

    package func take() -> FloatBuffer { free.withLock { $0.popLast() } ?? FloatBuffer(count: size) }

    package func give(back buffer: FloatBuffer?) {
        guard let buffer else { return }
        free.withLock { $0.append(buffer) }
    }
}
