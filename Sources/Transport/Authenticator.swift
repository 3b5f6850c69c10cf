/// Lets the holders of the keys on an ``AllowList`` connect to the sockets of one context, and refuses all others.
///
/// Answers libzmq's authentication requests (ZAP, RFC 27) on its own thread. Create it before the first socket with
/// ``Security/server(_:)`` and keep it as long as they live: without it such a socket admits no peer.
package final class Authenticator: Sendable {
    /// Of sockets with ``SocketOptions/tellsRefusedKeys``.
    static let tellingDomain = "apus control"

    package let allowList: AllowList
    private let stopping: Wakeup
    private let thread: ServiceThread

    /// Starts to answer for `context`.
    /// - Parameter refused: called on its own thread with each refused key and its address.
    /// - Throws: ``ZeroMQError`` if the context already has an authenticator.
    package init(
        in context: Context, allowList: AllowList,
        refused: @escaping @Sendable (PublicKey, String) -> Void = { _, _ in }
    ) throws(ZeroMQError) {
        self.allowList = allowList
        let stopping = try Wakeup()
        self.stopping = stopping
        let desk = try AdmissionDesk(in: context, allowList: allowList, stopping: stopping, refused)
        thread = ServiceThread { desk.serve() }
    }

    deinit {
        stopping.signal()
        thread.join()
    }
}

/// The socket that libzmq asks, and the thread's loop around it.
private final class AdmissionDesk {
    private let socket: Socket
    private let poller = Poller()
    private let allowList: AllowList
    private let refused: @Sendable (PublicKey, String) -> Void

    init(
        in context: Context, allowList: AllowList, stopping: Wakeup,
        _ refused: @escaping @Sendable (PublicKey, String) -> Void
    ) throws(ZeroMQError) {
        self.allowList = allowList
        self.refused = refused
        socket = try Socket(.reply, in: context)
        _ = try socket.bind("inproc://zeromq.zap.01")
        poller.add(stopping)
        poller.add(socket)
    }

    /// Answers until told to stop, or until the context ends.
    func serve() {
        do {
            while try poller.wait(until: nil), !poller.isReady(0) {
                while let request = try nextRequest() { try answer(request) }
            }
        } catch {
            // Unanswered requests are refusals: libzmq drops such connections when their handshake times out.
        }
    }

    private func nextRequest() throws(ZeroMQError) -> [[UInt8]]? {
        guard let first = try socket.receive() else { return nil }
        var parts = [first.copy()]
        var more = first.hasMore
        while more, let part = try socket.receive() {
            more = part.hasMore
            parts.append(part.copy())
        }
        return parts
    }

    /// A request: version, request id, domain, address, identity, mechanism, and for CURVE the 32 bytes of the key.
    private func answer(_ request: [[UInt8]]) throws(ZeroMQError) {
        let key = request.count == 7 && request[5] == Array("CURVE".utf8) ? PublicKey(binary: request[6]) : nil
        let admitted = key.map(allowList.admits) ?? false
        if let key, !admitted {
            let address = String(decoding: request[3], as: UTF8.self)
            refused(key, address.hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address)
        }
        let user = admitted ? key?.text ?? "" : ""
        // 300 means try again later: the other end retries, as a link must whose key is added to the list a moment
        // later. After 400 the other end knows, and libzmq gives up that connection.
        let refusal = request.count > 2 && request[2] == Array(Authenticator.tellingDomain.utf8) ? "400" : "300"
        let requestID = request.count > 1 ? request[1] : []
        let reply = [Array("1.0".utf8), requestID, Array((admitted ? "200" : refusal).utf8), [], Array(user.utf8), []]
        for (index, part) in reply.enumerated() {
            _ = try socket.send(part, more: index + 1 < reply.count)
        }
    }
}
