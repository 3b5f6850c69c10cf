internal import CZeroMQ
internal import Glibc

/// One ZeroMQ socket, owned by one thread.
///
/// libzmq forbids sharing a socket between threads. `Socket` is neither copyable nor `Sendable`, so the compiler
/// forbids it too. No call blocks: sending and receiving return at once; ``Poller`` waits.
package struct Socket: ~Copyable {
    /// How a socket addresses its peers.
    package enum Kind: Sendable {
        /// Talks to many peers; each message received or sent begins with a part that identifies the connection.
        case router
        /// Talks to one peer.
        case dealer
        /// A pair within the process.
        case pair
        /// Answers one request at a time.
        case reply
    }

    let handle: SocketHandle

    package init(_ kind: Kind, in context: Context, options: SocketOptions = SocketOptions()) throws(ZeroMQError) {
        let handle = try SocketHandle(kind, in: context)
        try handle.apply(options)
        self.handle = handle
    }

    /// Listens at `endpoint`; `*` as port chooses a free one.
    /// - Returns: the endpoint with the chosen port.
    package borrowing func bind(_ endpoint: String) throws(ZeroMQError) -> String {
        try check("listening at \(endpoint)", unsafe zmq_bind(handle.raw, endpoint))
        return try handle.lastEndpoint()
    }

    /// Connects to `endpoint` in the background, and reconnects whenever the connection breaks.
    package borrowing func connect(_ endpoint: String) throws(ZeroMQError) {
        // For a name with addresses of both families libzmq would choose IPv6, while coordinators listen at IPv4.
        try handle.set(ZMQ_IPV6, TCPProbe.needsIPv6(endpoint) ? Int32(1) : 0)
        try check("connecting to \(endpoint)", unsafe zmq_connect(handle.raw, endpoint))
    }

    /// Connects again to an endpoint whose connection libzmq gave up: it ignores a second one to the same endpoint.
    package borrowing func reconnect(_ endpoint: String) throws(ZeroMQError) {
        // Nothing is left to disconnect if libzmq has forgotten the endpoint by itself.
        _ = unsafe zmq_disconnect(handle.raw, endpoint)
        try connect(endpoint)
    }

    /// Queues `message` and empties it.
    /// - Returns: false, with `message` unchanged, if the queue is full.
    package borrowing func send(_ message: borrowing Message, more: Bool = false) throws(ZeroMQError) -> Bool {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        return try handle.succeeded("sending", unsafe zmq_msg_send(message.raw, handle.raw, flags))
    }

    /// Queues a copy of `bytes`.
    /// - Returns: false if the queue is full.
    package borrowing func send(_ bytes: RawSpan, more: Bool = false) throws(ZeroMQError) -> Bool {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        return try unsafe bytes.withUnsafeBytes { (bytes) throws(ZeroMQError) in
            try handle.succeeded("sending", unsafe zmq_send(handle.raw, bytes.baseAddress, bytes.count, flags))
        }
    }

    /// Queues a copy of `bytes`.
    /// - Returns: false if the queue is full.
    package borrowing func send(_ bytes: [UInt8], more: Bool = false) throws(ZeroMQError) -> Bool {
        try unsafe send(bytes.span.bytes, more: more)
    }

    /// The next part of a message, or nil if there is none.
    package borrowing func receive() throws(ZeroMQError) -> Message? {
        let message = Message()
        guard try handle.succeeded("receiving", unsafe zmq_msg_recv(message.raw, handle.raw, ZMQ_DONTWAIT)) else {
            return nil
        }
        return message
    }

    /// Queues a copy of `bytes`, in parts if they are longer than ``SocketOptions/longestPart``.
    /// - Returns: false if the queue is full, or the connection ended meanwhile.
    package borrowing func sendInParts(_ bytes: [UInt8]) throws(ZeroMQError) -> Bool {
        let longest = SocketOptions.longestPart
        guard bytes.count > longest else { return try send(bytes) }
        for start in stride(from: 0, to: bytes.count, by: longest) {
            let end = min(start + longest, bytes.count)
            guard try unsafe send(bytes.span.extracting(start..<end).bytes, more: end < bytes.count) else {
                // libzmq drops the rest of a message whose connection has ended, up to its last part.
                if start > 0, end < bytes.count { _ = try send([]) }
                return false
            }
        }
        return true
    }

    /// The bytes of `first` and of the parts that follow it, as split by ``sendInParts(_:)``.
    /// - Returns: nil, and the parts are dropped, if they are split differently or exceed `limit` bytes.
    package borrowing func gather(_ first: borrowing Message, limit: Int) throws(ZeroMQError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var isWhole = first.byteCount <= limit && (!first.hasMore || first.byteCount == SocketOptions.longestPart)
        guard isWhole else {
            try discardRest(after: first)
            return nil
        }
        first.append(to: &bytes)
        var more = first.hasMore
        while more, let part = try receive() {
            more = part.hasMore
            isWhole = isWhole && bytes.count + part.byteCount <= limit && part.byteCount > 0
            isWhole =
                isWhole
                && (more ? part.byteCount == SocketOptions.longestPart : part.byteCount <= SocketOptions.longestPart)
            if isWhole { part.append(to: &bytes) }
        }
        return isWhole ? bytes : nil
    }

    /// Drops the remaining parts of the message whose part was just received.
    package borrowing func discardRest(after part: borrowing Message) throws(ZeroMQError) {
        var more = part.hasMore
        while more, let next = try receive() { more = next.hasMore }
    }

    /// Closes the socket now and reports failure, which `deinit` cannot do.
    package consuming func close() throws(ZeroMQError) { try handle.close() }
}

/// The libzmq handle behind a ``Socket``, shared with the ``Poller`` that waits for it on the same thread.
@safe
final class SocketHandle {
    private var pointer: UnsafeMutableRawPointer?
    private let context: Context

    init(_ kind: Socket.Kind, in context: Context) throws(ZeroMQError) {
        let type =
            switch kind {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            case .reply: ZMQ_REP
            }
        guard let pointer = unsafe zmq_socket(context.handle, type) else { throw ZeroMQError.last("opening a socket") }
        unsafe self.pointer = pointer
        self.context = context
    }

    deinit {
        if let pointer = unsafe pointer { _ = unsafe zmq_close(pointer) }
    }

    var raw: UnsafeMutableRawPointer? { unsafe pointer }

    func close() throws(ZeroMQError) {
        guard let closing = unsafe pointer else { return }
        unsafe pointer = nil
        try check("closing a socket", unsafe zmq_close(closing))
    }

    /// False if the call would have blocked.
    func succeeded(_ operation: String, _ result: Int32) throws(ZeroMQError) -> Bool {
        if result >= 0 { return true }
        if zmq_errno() == EAGAIN { return false }
        throw ZeroMQError.last(operation)
    }

    func set(_ option: Int32, _ value: Int32) throws(ZeroMQError) {
        var value = value
        try check(
            "setting socket option \(option)", unsafe zmq_setsockopt(raw, option, &value, MemoryLayout<Int32>.size))
    }

    func set(_ option: Int32, _ value: Int64) throws(ZeroMQError) {
        var value = value
        try check(
            "setting socket option \(option)", unsafe zmq_setsockopt(raw, option, &value, MemoryLayout<Int64>.size))
    }

    func set(_ option: Int32, _ value: String) throws(ZeroMQError) {
        try check("setting socket option \(option)", unsafe zmq_setsockopt(raw, option, value, value.utf8.count))
    }

    func apply(_ options: SocketOptions) throws(ZeroMQError) {
        try set(ZMQ_LINGER, options.linger.milliseconds)
        try set(ZMQ_SNDHWM, Int32(options.highWaterMark))
        try set(ZMQ_RCVHWM, Int32(options.highWaterMark))
        try set(ZMQ_MAXMSGSIZE, Int64(options.maximumPartBytes))
        try set(ZMQ_HANDSHAKE_IVL, options.handshakeTimeout.milliseconds)
        try set(ZMQ_RECONNECT_IVL, options.reconnectInterval.milliseconds)
        try set(ZMQ_RECONNECT_IVL_MAX, Int32(1_000))
        try set(ZMQ_CONNECT_TIMEOUT, Int32(2_000))
        try set(ZMQ_IPV6, Int32(1))
        try set(ZMQ_BACKLOG, Int32(4_096))
        if options.queuesOnlyWhenConnected { try set(ZMQ_IMMEDIATE, Int32(1)) }
        if let limit = options.unacknowledgedLimit { try set(ZMQ_TCP_MAXRT, limit.milliseconds) }
        switch options.security {
        case .plain:
            break
        case .server(let pair):
            try set(ZMQ_CURVE_SERVER, Int32(1))
            try setKeys(pair)
            try set(ZMQ_ZAP_DOMAIN, options.tellsRefusedKeys ? Authenticator.tellingDomain : "apus")
            try set(enforceDomain, Int32(1))
        case .client(let pair, let server):
            try setKeys(pair)
            try set(ZMQ_CURVE_SERVERKEY, server.text)
        }
    }

    private func setKeys(_ pair: KeyPair) throws(ZeroMQError) {
        try set(ZMQ_CURVE_PUBLICKEY, pair.publicKey.text)
        try set(ZMQ_CURVE_SECRETKEY, pair.secretKey.text)
    }

    /// Becomes readable when something may have arrived.
    func descriptor() throws(ZeroMQError) -> Int32 {
        var descriptor: Int32 = -1
        var count = MemoryLayout<Int32>.size
        try check("asking for the descriptor", unsafe zmq_getsockopt(raw, ZMQ_FD, &descriptor, &count))
        return descriptor
    }

    func lastEndpoint() throws(ZeroMQError) -> String {
        var bytes = [UInt8](repeating: 0, count: 1_024)
        var count = bytes.count
        try check("asking for the endpoint", unsafe zmq_getsockopt(raw, ZMQ_LAST_ENDPOINT, &bytes, &count))
        let endpoint = String(decoding: bytes.prefix(max(count - 1, 0)), as: UTF8.self)
        // A socket for both families shows IPv4 addresses as IPv4-mapped IPv6.
        guard endpoint.hasPrefix("tcp://[::ffff:"), let close = endpoint.firstIndex(of: "]") else { return endpoint }
        return "tcp://" + endpoint[..<close].dropFirst(14) + endpoint[close...].dropFirst()
    }
}

/// ZMQ_ZAP_ENFORCE_DOMAIN: without a handler no peer is admitted, instead of all. libzmq 4.3 has the option in every
/// build, but its header shows the name only to builds of the draft interface.
private let enforceDomain: Int32 = 93
