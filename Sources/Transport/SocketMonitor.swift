internal import CSystem
internal import CZeroMQ
internal import Glibc

/// libzmq's events about the connections of one socket.
///
/// Belongs to the socket's thread. Events come in the order in which they happened, and before any message that a
/// later connection brought.
package struct SocketMonitor: ~Copyable {
    /// What happened to a connection.
    package enum Event: Equatable, Sendable {
        /// A peer connected with a checked key. (libzmq does not report the descriptor.)
        case connected
        /// A connection ended, for any reason.
        case disconnected(descriptor: Int32)
        /// This end has a TCP connection; no key is proven yet.
        case reached
        /// A stranger, or a peer with a wrong key.
        case refused
        /// A peer that expects another key of this end.
        case expectsAnotherKey
        /// One end has keys, the other has none.
        case differsInKeys
        /// Of a socket that connects: the other end has the expected key and does not know this one's.
        case ownKeyRefused
    }

    package let socket: Socket
    /// Kept open until monitoring is stopped.
    private let watched: SocketHandle
    private let admission = Admission()

    /// The kernel's listening socket, and the connections accepted by it.
    private final class Admission {
        var listener: Int32?
        var unproven = UnprovenConnections()
    }

    /// Reports the connections of `watched` from now on.
    package init(_ watched: borrowing Socket, in context: Context) throws(ZeroMQError) {
        let endpoint = "inproc://monitor-\(UInt64.random(in: 0 ... .max))"
        let events =
            ZMQ_EVENT_LISTENING | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
            | ZMQ_EVENT_DISCONNECTED
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        try check("watching a socket", unsafe zmq_socket_monitor(watched.handle.raw, endpoint, events))
        var options = SocketOptions()
        options.highWaterMark = 0
        options.linger = .zero
        let socket = try Socket(.pair, in: context, options: options)
        try socket.connect(endpoint)
        self.socket = socket
        self.watched = watched.handle
    }

    /// An event for a closed monitor would block the context's I/O thread, and with it all sockets, forever.
    deinit { _ = unsafe zmq_socket_monitor(watched.raw, nil, 0) }

    /// The next event, or nil if there is none.
    package borrowing func next() throws(ZeroMQError) -> Event? {
        while let part = try socket.receive() {
            try socket.discardRest(after: part)
            guard let (number, value) = part.withBytes(Self.decode) else { continue }
            switch number {
            case ZMQ_EVENT_LISTENING:
                admission.listener = value
                Self.leaveSilentToKernel(value)
            case ZMQ_EVENT_ACCEPTED: carryOut(admission.unproven.accepted(value))
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .connected
            case ZMQ_EVENT_DISCONNECTED:
                carryOut(admission.unproven.remove(value))
                return .disconnected(descriptor: value)
            case ZMQ_EVENT_CONNECTED: return .reached
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL where value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
                return .expectsAnotherKey
            case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL where value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
                return .differsInKeys
            case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH where admission.listener == nil: return .ownKeyRefused
            // The other end disconnected, or was silent for too long: that also happens to killed processes.
            case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL where value != EFAULT: continue
            default: return .refused
            }
        }
        return nil
    }

    /// Connections at this socket without a proven key, according to the events read so far.
    package var unprovenConnections: Int { admission.unproven.count }

    /// Notes that a message came through `descriptor`, which proves its key. Read earlier events first.
    package borrowing func proven(_ descriptor: Int32?) {
        if let descriptor { carryOut(admission.unproven.remove(descriptor)) }
    }

    /// Makes the kernel refuse new TCP connections.
    package borrowing func shutDoor() { carryOut(admission.unproven.shut()) }

    /// Links within the host have no such filter, and need none. A failure changes nothing, and costs only memory.
    private borrowing func carryOut(_ action: UnprovenConnections.Action?) {
        if let action, let listener = admission.listener { _ = apus_close_door(listener, action == .close ? 1 : 0) }
    }

    /// An event is 16 bits of number and 32 bits of value, in the machine's order.
    private static func decode(_ bytes: RawSpan) -> (number: Int32, value: Int32)? {
        guard bytes.byteCount >= 6 else { return nil }
        let number = Int32(unsafe bytes.unsafeLoadUnaligned(as: UInt16.self))
        return (number, unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: Int32.self))
    }

    /// Makes the kernel hold TCP connections until their first byte arrives: a peer sends at once, and a connection
    /// that never does then costs no descriptor and no timer.
    static func leaveSilentToKernel(_ listener: Int32) {
        // Longer than the kernel keeps a half-open connection, so that none is accepted merely by waiting.
        var seconds: Int32 = 120
        // Links within the host have no such setting, and need none.
        _ = unsafe setsockopt(
            listener, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, socklen_t(MemoryLayout<Int32>.size))
    }
}
