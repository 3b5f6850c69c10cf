internal import Glibc
internal import Synchronization

/// Wakes the thread that waits in a ``Poller`` from any other thread.
///
/// Signals that arrive before the thread checks count as one. ``signal()`` never blocks.
package final class Wakeup: Sendable {
    package let descriptor: Int32
    private let writing: Int32
    private let pending = Atomic(false)

    /// - Throws: ``ZeroMQError`` when the process has no free file descriptor.
    package init() throws(ZeroMQError) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ZeroMQError(operation: "opening a pipe", code: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        descriptor = ends[0]
        writing = ends[1]
    }

    deinit {
        _ = close(descriptor)
        _ = close(writing)
    }

    package func signal() {
        guard !pending.exchange(true, ordering: .sequentiallyConsistent) else { return }
        var byte: UInt8 = 1
        _ = unsafe write(writing, &byte, 1)
    }

    /// Resets for the next signal. Check for the announced work after this call, not before.
    package func clear() {
        // Rarely more than one, if a signal came while another was cleared; the rest wakes once more.
        var bytes: UInt64 = 0
        _ = unsafe read(descriptor, &bytes, MemoryLayout<UInt64>.size)
        _ = pending.exchange(false, ordering: .sequentiallyConsistent)
    }
}
