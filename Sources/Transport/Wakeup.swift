internal import Glibc
internal import Synchronization

/// Wakes the thread that waits in a ``Poller``, from any other thread.
///
/// Signals that arrive before the thread looks count as one. ``signal()`` never waits.
package final class Wakeup: Sendable {
    let descriptor: Int32
    private let writing: Int32
    private let pending = Atomic(false)

    /// - Throws: ``ZeroMQError`` when the process has no file descriptor left.
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

    /// Makes ready for the next signal. Look at what the signal announced after this call, not before.
    package func clear() {
        // Seldom more than one, when a signal came while another was cleared; what is left wakes once more.
        var bytes: UInt64 = 0
        _ = unsafe read(descriptor, &bytes, MemoryLayout<UInt64>.size)
        _ = pending.exchange(false, ordering: .sequentiallyConsistent)
    }
}
