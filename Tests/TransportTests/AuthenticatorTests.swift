import Testing

@testable import Transport

@Suite struct AuthenticatorTests {
    let context: Context
    let known = KeyPair.generate()
    let stranger = KeyPair.generate()

    init() throws { context = try Context() }

    @Test func `a key on the list gets in, and its messages carry it`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList([known.publicKey]))
        let door = try Door(in: context)
        let client = try door.connect(as: known)
        _ = try client.send([1, 2, 3])
        #expect(try door.nextSender(within: .seconds(20)) == known.publicKey)
        #expect(authenticator.allowList.refused == 0)
    }

    @Test func `a stranger is refused and counted until its key is on the list`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList([known.publicKey]))
        let door = try Door(in: context)
        let client = try door.connect(as: stranger)
        _ = try client.send([1])
        #expect(try door.nextEvent(within: .seconds(20)) == .refused)
        #expect(authenticator.allowList.refused > 0)
        #expect(try door.nextSender(within: .zero) == nil)

        authenticator.allowList.allow(stranger.publicKey)
        let again = try door.connect(as: stranger)
        _ = try again.send([1])
        #expect(try door.nextSender(within: .seconds(20)) == stranger.publicKey)
    }

    @Test func `a connection refused is tried again once its key is on the list`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList())
        let door = try Door(in: context)
        let client = try door.connect(as: stranger)
        _ = try client.send([1])
        #expect(try door.nextEvent(within: .seconds(20)) == .refused)
        authenticator.allowList.allow(stranger.publicKey)
        #expect(try door.nextSender(within: .seconds(20)) == stranger.publicKey)
    }

    @Test func `a key taken off the list is refused`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList([known.publicKey]))
        authenticator.allowList.remove(known.publicKey)
        let door = try Door(in: context)
        let client = try door.connect(as: known)
        _ = try client.send([1])
        #expect(try door.nextEvent(within: .seconds(20)) == .refused)
    }

    @Test func `without an authenticator nobody gets in`() throws {
        let door = try Door(in: context)
        let client = try door.connect(as: known)
        _ = try client.send([1])
        #expect(try door.nextEvent(within: .seconds(20)) == .refused)
        #expect(try door.nextSender(within: .zero) == nil)
    }

    @Test func `a client that does not encrypt is refused`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList([known.publicKey]))
        let door = try Door(in: context)
        let client = try Socket(.dealer, in: context)
        try client.connect(door.endpoint)
        _ = try client.send([1])
        #expect(try door.nextEvent(within: .seconds(20)) == .differsInKeys)
        withExtendedLifetime(authenticator) {}
    }

    @Test func `a context has one authenticator`() throws {
        let authenticator = try Authenticator(in: context, allowList: AllowList())
        #expect(throws: ZeroMQError.self) { try Authenticator(in: context, allowList: AllowList()) }
        withExtendedLifetime(authenticator) {}
    }
}

/// A server socket with keys, and its events.
private final class Door {
    let endpoint: String
    private let context: Context
    private let keys = KeyPair.generate()
    private let socket: Socket
    private let monitor: SocketMonitor
    private let messages = Poller()
    private let events = Poller()

    init(in context: Context) throws {
        self.context = context
        var options = SocketOptions()
        options.security = .server(keys)
        socket = try Socket(.router, in: context, options: options)
        monitor = try SocketMonitor(socket, in: context)
        endpoint = try socket.bind("tcp://127.0.0.1:*")
        messages.add(socket)
        events.add(monitor.socket)
    }

    func connect(as pair: KeyPair) throws -> Socket {
        var options = SocketOptions()
        options.security = .client(pair, server: keys.publicKey)
        options.linger = .zero
        options.reconnectInterval = .seconds(1)
        let client = try Socket(.dealer, in: context, options: options)
        try client.connect(endpoint)
        return client
    }

    /// The key behind the next message; nil when none came.
    func nextSender(within limit: Duration) throws -> PublicKey? {
        guard try messages.wait(until: .now + limit), let connection = try socket.receive(), connection.hasMore else {
            return nil
        }
        return try socket.receive()?.senderKey
    }

    func nextEvent(within limit: Duration) throws -> SocketMonitor.Event? {
        let deadline = ContinuousClock.now + limit
        while try events.wait(until: deadline) { if let event = try monitor.next() { return event } }
        return nil
    }
}
