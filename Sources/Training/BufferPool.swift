internal import Synchronization
package import Tensors

/// Gradient buffers that are used again from step to step.
package final class BufferPool: Sendable {
    private let free = Mutex<[FloatView]>([])
    private let size: Int

    /// - Parameter size: elements of each buffer.
    package init(size: Int) { self.size = size }

    package func take() -> FloatView { free.withLock { $0.popLast() } ?? FloatBuffer(count: size, whole: size).view }

    package func give(back buffer: FloatView?) {
        guard let buffer else { return }
        free.withLock { $0.append(buffer) }
    }
}
