internal import CSystem
internal import CZeroMQ

/// One instance of libzmq: its I/O threads and the `inproc` names inside it.
///
/// Unlike a ``Socket``, a context may be shared between threads: libzmq guards it, and `handle` never changes, hence
/// @unchecked. Sockets keep their context alive; the last release waits until lingering messages are sent or dropped.
@safe
package final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    /// - Throws: ``ZeroMQError`` when the process has no free file descriptor.
    package init() throws(ZeroMQError) {
        _ = Self.keepsFrames
        guard let handle = unsafe zmq_ctx_new() else { throw ZeroMQError.last("opening a ZeroMQ context") }
        unsafe self.handle = handle
    }

    deinit { _ = unsafe zmq_ctx_term(handle) }

    /// Makes the heap keep the memory of frames for reuse. By default, glibc returns each to the system as soon as it
    /// is free, and the system clears every page before it is allocated again: over TCP that took as long as the
    /// exchange itself.
    private static let keepsFrames: Bool = {
        let ownPages = mallopt(M_MMAP_THRESHOLD, 1 << 20)
        return mallopt(M_TRIM_THRESHOLD, 64 << 20) == 1 && ownPages == 1
    }()
}
