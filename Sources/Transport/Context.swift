internal import CZeroMQ

/// One instance of libzmq: its I/O threads and the `inproc` names inside it.
///
/// Unlike a ``Socket``, a context may be shared between threads. Sockets keep their context alive; the last release
/// waits until what lingers is sent or given up.
@safe
package final class Context: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer

    /// - Throws: ``ZeroMQError`` when the process has no file descriptor left.
    package init() throws(ZeroMQError) {
        guard let handle = unsafe zmq_ctx_new() else { throw ZeroMQError.last("opening a ZeroMQ context") }
        unsafe self.handle = handle
    }

    deinit { _ = unsafe zmq_ctx_term(handle) }
}
