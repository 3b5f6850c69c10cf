/// The sending end of a link to one peer, and what libzmq reports about it.
final class OutgoingLink {
    let rank: Int
    /// Whether the peer's keys were checked and the link stands.
    private(set) var stands = false
    private let socket: Socket
    private let monitor: SocketMonitor
    private var pollIndex = 0
    private var isBroken = false

    init(to peer: MeshPeer, rank: Int, keys: KeyPair?, in context: Context) throws(ZeroMQError) {
        self.rank = rank
        var options = MeshListener.options
        if let keys, let server = peer.key { options.security = .client(keys, server: server) }
        socket = try Socket(.dealer, in: context, options: options)
        monitor = try SocketMonitor(socket, in: context)
        try socket.connect(peer.endpoint)
    }

    func join(_ poller: Poller) {
        pollIndex = poller.add(socket)
        poller.add(monitor.socket)
    }

    func watchForRoom(_ room: Bool, _ poller: Poller) { poller.watch(pollIndex, incoming: true, room: room) }

    /// False when the queue is full.
    func send(_ message: borrowing Message) throws(MeshError) -> Bool {
        do throws(ZeroMQError) { return try socket.send(message) } catch { throw MeshError(error) }
    }

    /// Sends a message of two parts; false when the queue is full.
    func send(_ head: [UInt8], _ payload: borrowing Message) throws(MeshError) -> Bool {
        do throws(ZeroMQError) {
            guard try socket.send(head, more: true) else { return false }
            // libzmq counts whole messages: there is room for the rest of one that it has begun to take.
            let isQueued = try socket.send(payload)
            precondition(isQueued, "a message was taken in part")
            return true
        } catch { throw MeshError(error) }
    }

    func sendHello(_ header: FrameHeader) throws(MeshError) {
        let message = Message(copying: FrameCodec.encode(header, payloadBytes: 0))
        let isQueued = try send(message)
        precondition(isQueued, "a new link has no room for its first frame")
    }

    /// Whether a link that stood has ended. Attempts before it stood are repeated by libzmq.
    func isLost() throws(MeshError) -> Bool {
        do throws(ZeroMQError) {
            while let event = try monitor.next() {
                switch event {
                case .connected: stands = true
                case .disconnected: isBroken = isBroken || stands
                case .refused: break
                }
            }
            return isBroken
        } catch {
            throw MeshError(error)
        }
    }
}
