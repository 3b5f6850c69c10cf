internal import CZeroMQ

/// What libzmq reports about the connections of one socket.
///
/// Lives on the socket's thread. Events come in the order in which they happened, and before any message that a
/// later connection brought.
package struct SocketMonitor: ~Copyable {
    package enum Event: Equatable, Sendable {
        /// A peer got through, keys checked. (libzmq does not say at which descriptor.)
        case connected
        /// A connection ended, for whatever reason.
        case disconnected(descriptor: Int32)
        /// A stranger, or a peer with a wrong key.
        case refused
    }

    package let socket: Socket
    /// Kept open until it is told to report no more.
    private let watched: SocketHandle

    /// Reports the connections of `watched` from now on.
    package init(_ watched: borrowing Socket, in context: Context) throws(ZeroMQError) {
        let endpoint = "inproc://monitor-\(UInt64.random(in: 0 ... .max))"
        let events =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
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

    /// A report to a monitor that is gone would hold up the context's I/O thread, and with it all sockets, for ever.
    deinit { _ = unsafe zmq_socket_monitor(watched.raw, nil, 0) }

    /// The next event, or nil when there is none.
    package borrowing func next() throws(ZeroMQError) -> Event? {
        while let part = try socket.receive() {
            try socket.discardRest(after: part)
            if let event = part.withBytes(Self.decode) { return event }
        }
        return nil
    }

    /// An event is 16 bits of number and 32 bits of value, in the machine's order.
    private static func decode(_ bytes: RawSpan) -> Event? {
        guard bytes.byteCount >= 6 else { return nil }
        let number = Int32(unsafe bytes.unsafeLoadUnaligned(as: UInt16.self))
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 2, as: Int32.self)
        return switch number {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .connected
        case ZMQ_EVENT_DISCONNECTED: .disconnected(descriptor: value)
        default: .refused
        }
    }
}
