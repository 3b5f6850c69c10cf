internal import Glibc

/// The sending end of a link to one peer, with libzmq's events about it.
final class OutgoingLink {
    let rank: Int
    /// Whether the peer's key was checked and the link is established.
    private(set) var stands = false
    /// Tells whether the peer's port can be reached; nil once it was, and without one.
    private(set) var probe: ReachProbe?
    private let socket: Socket
    private let monitor: SocketMonitor
    private var pollIndex = 0
    private var isBroken = false

    /// - Throws: ``ZeroMQError`` if the peer offers another kind of link than this process has: its own keys decide,
    ///   not the roster.
    init(to peer: MeshPeer, rank: Int, keys: KeyPair?, in context: Context) throws(ZeroMQError) {
        self.rank = rank
        var options = MeshListener.options
        switch (keys, peer.key) {
        case (let keys?, let server?): options.security = .client(keys, server: server)
        case (nil, nil): break
        case (let own, _):
            throw ZeroMQError(
                operation: "rank \(rank) at \(peer.endpoint) links "
                    + (own == nil ? "with keys, and this process has none" : "in clear, and this process has keys"),
                code: EPROTO)
        }
        probe = ReachProbe(peer.endpoint)
        socket = try Socket(.dealer, in: context, options: options)
        monitor = try SocketMonitor(socket, in: context)
        try socket.connect(peer.endpoint)
    }

    func join(_ poller: Poller) {
        pollIndex = poller.add(socket)
        watchForRoom(false, poller)
        poller.add(monitor.socket)
    }

    /// Nothing is read from this end: what a peer sent there would end every wait.
    func watchForRoom(_ room: Bool, _ poller: Poller) { poller.watch(pollIndex, incoming: false, room: room) }

    /// False if the queue is full.
    func send(_ message: borrowing Message) throws(MeshError) -> Bool {
        do throws(ZeroMQError) { return try socket.send(message) } catch { throw MeshError(error) }
    }

    /// Sends a message of two parts; false if the queue is full.
    func send(_ head: [UInt8], _ payload: borrowing Message) throws(MeshError) -> Bool {
        guard try begin(head) else { return false }
        try go(on: payload, more: false)
        return true
    }

    /// Sends a message whose payload travels in several parts; false if the queue is full.
    /// - Parameter part: makes the message of a range of the payload's bytes.
    func send(_ head: [UInt8], payloadBytes: Int, part: (Range<Int>) -> Message) throws(MeshError) -> Bool {
        guard try begin(head) else { return false }
        for start in stride(from: 0, to: payloadBytes, by: SocketOptions.longestPart) {
            let end = min(start + SocketOptions.longestPart, payloadBytes)
            try go(on: part(start..<end), more: end < payloadBytes)
        }
        return true
    }

    private func begin(_ head: [UInt8]) throws(MeshError) -> Bool {
        do throws(ZeroMQError) { return try socket.send(head, more: true) } catch { throw MeshError(error) }
    }

    /// Sends a later part. libzmq counts whole messages: it has room for the rest of a message that it has begun to
    /// accept, unless the connection ended in between.
    private func go(on part: borrowing Message, more: Bool) throws(MeshError) {
        let isQueued: Bool
        do throws(ZeroMQError) { isQueued = try socket.send(part, more: more) } catch { throw MeshError(error) }
        guard isQueued else { throw .lost(rank: rank) }
    }

    func sendHello(_ header: FrameHeader) throws(MeshError) {
        let message = Message(copying: FrameCodec.encode(header, payloadBytes: 0))
        let isQueued = try send(message)
        precondition(isQueued, "a new link has no room for its first frame")
    }

    /// Whether an established link has ended. libzmq retries until a link is first established.
    func isLost() throws(MeshError) -> Bool {
        do throws(ZeroMQError) {
            while let event = try monitor.next() {
                switch event {
                case .connected: stands = true
                case .disconnected: isBroken = isBroken || stands
                case .reached: probe = nil
                case .refused, .expectsAnotherKey, .differsInKeys, .ownKeyRefused: break
                }
            }
            return isBroken
        } catch {
            throw MeshError(error)
        }
    }
}
