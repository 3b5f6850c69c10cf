internal import Glibc
internal import Synchronization
package import Transport

/// A small server of HTTP/1.1 for a page and its events: one thread, one answer a connection, at most ``most`` of them.
package final class WebServer: Sendable {
    /// Connections at a time; a further one is refused.
    package static let most = 64

    private let listener: Int32
    /// Interrupts the thread that waits.
    private let wakeup: Wakeup
    private let news = Mutex(News())
    /// The address at which it listens, as a number.
    package let host: String
    package let port: UInt16

    private struct News {
        var events: [[UInt8]] = []
        var isEnding = false
    }

    /// Listens; port 0 chooses a free one.
    /// - Throws: ``ZeroMQError`` with the system's code.
    package init(host: String, port: UInt16) throws(ZeroMQError) {
        let operation = "listening at \(TCPProbe.bracketed(host)):\(port)"
        guard let address = SocketAddress(host, port: port) else {
            throw ZeroMQError(operation: operation, code: EADDRNOTAVAIL)
        }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let opened = socket(address.family, kind, 0)
        guard opened >= 0 else { throw ZeroMQError(operation: operation, code: errno) }
        var one: Int32 = 1
        _ = unsafe setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe address.withPointer({ unsafe bind(opened, $0, $1) }) == 0, listen(opened, 64) == 0,
            let own = SocketAddress(ownOf: opened)
        else {
            let code = errno
            _ = close(opened)
            throw ZeroMQError(operation: operation, code: code)
        }
        listener = opened
        do throws(ZeroMQError) { wakeup = try Wakeup() } catch {
            _ = close(opened)
            throw error
        }
        self.host = own.host
        self.port = own.port
    }

    deinit { _ = close(listener) }

    /// Sends an event to all readers of events, from any thread.
    package func publish(_ event: String) {
        news.withLock { $0.events.append(Array(event.utf8)) }
        wakeup.signal()
    }

    /// Makes ``run(_:)`` return once the readers have what was published, or after a second.
    package func end() {
        news.withLock { $0.isEnding = true }
        wakeup.signal()
    }

    /// Answers requests on the calling thread until ``end()``.
    ///
    /// - Parameter handler: called on this thread; an event published after its answer comes after it.
    package func run(_ handler: (HTTPRequest) -> HTTPResponse) {
        var connections: [Int32: ServerConnection] = [:]
        defer { for descriptor in connections.keys { _ = close(descriptor) } }
        var deadline: ContinuousClock.Instant?
        while true {
            let order = Array(connections.keys)
            let polled = poll(order, connections)
            var now = ContinuousClock.now
            if polled[0].revents != 0 { wakeup.clear() }
            let (events, isEnding) = news.withLock { news in
                defer { news.events = [] }
                return (news.events, news.isEnding)
            }
            for descriptor in order {
                for event in events { connections[descriptor]?.add(event: event, at: now) }
            }
            for (descriptor, state) in zip(order, polled.dropFirst(2)) where state.revents != 0 {
                serve(descriptor, &connections[descriptor]!, state.revents, handler, now)
            }
            now = .now
            for descriptor in order {
                connections[descriptor]?.tick(now)
                guard connections[descriptor]?.phase == .over else { continue }
                _ = close(descriptor)
                connections[descriptor] = nil
            }
            if isEnding {
                let limit = deadline ?? now + .seconds(1)
                deadline = limit
                if now >= limit || connections.values.allSatisfy(\.waiting.isEmpty) { return }
            } else if polled[1].revents != 0 {
                accept(&connections, now)
            }
        }
    }

    /// Waits for news, a new connection, bytes or room; at most a second.
    private func poll(_ order: [Int32], _ connections: [Int32: ServerConnection]) -> [pollfd] {
        var list = [wakeup.descriptor, listener].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        for descriptor in order {
            let isWaiting = connections[descriptor].map { !$0.waiting.isEmpty } ?? false
            list.append(pollfd(fd: descriptor, events: Int16(POLLIN | (isWaiting ? POLLOUT : 0)), revents: 0))
        }
        let isAnything = unsafe Glibc.poll(&list, nfds_t(list.count), 1_000) > 0
        return isAnything
            ? list : list.map { pollfd(fd: $0.fd, events: $0.events, revents: 0) }
    }

    /// Accepts what waits. Beyond ``most`` a connection is told so and closed.
    private func accept(_ connections: inout [Int32: ServerConnection], _ now: ContinuousClock.Instant) {
        for _ in 0..<Self.most {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                // Without a free descriptor the connection waits, and so does this thread, for one to be closed.
                if errno == EMFILE || errno == ENFILE { _ = usleep(100_000) }
                return
            }
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            guard connections.count < Self.most else {
                let refusal = HTTPResponse(refusing: .tooMany, "at most \(Self.most) connections")
                _ = Self.write(refusal.bytes(withBody: true)[...], to: descriptor)
                _ = shutdown(descriptor, Int32(SHUT_WR))
                _ = close(descriptor)
                continue
            }
            connections[descriptor] = ServerConnection(at: now)
        }
    }

    private func serve(
        _ descriptor: Int32, _ connection: inout ServerConnection, _ events: Int16,
        _ handler: (HTTPRequest) -> HTTPResponse, _ now: ContinuousClock.Instant
    ) {
        if events & Int16(POLLIN | POLLHUP | POLLERR | POLLNVAL) != 0 {
            var buffer = [UInt8](repeating: 0, count: 16 << 10)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return connection.end() }
            if count > 0, let request = connection.receive(buffer[..<count], at: now) {
                let isKnown = request.method == "GET" || request.method == "HEAD"
                let response =
                    isKnown
                    ? handler(request) : HTTPResponse(refusing: .methodNotAllowed, headers: ["Allow: GET, HEAD"])
                connection.answer(response, withBody: request.method != "HEAD", at: now)
            }
        }
        guard !connection.waiting.isEmpty else { return }
        switch Self.write(connection.waiting.prefix(256 << 10), to: descriptor) {
        case .some(let count): if count > 0 { connection.wrote(count, at: now) }
        case nil: connection.end()
        }
    }

    /// - Returns: the bytes that the system took; nil if the reader has gone.
    private static func write(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Int? {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? 0 : nil }
        return count
    }
}
