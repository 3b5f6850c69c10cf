import Foundation
import Testing

@testable import Transport

@Suite struct SocketTests {
    let context: Context

    init() throws { context = try Context() }

    @Test func `an address of one network card alone is called that`() {
        let local = ZeroMQError(operation: "listening at tcp://[fe80::1]:5701", code: EINVAL)
        #expect(local.description.contains("link-local"))
        let other = ZeroMQError(operation: "listening at tcp://[::1]:5701", code: EINVAL)
        #expect(!other.description.contains("link-local"))
    }

    @Test func `a full queue is told, not waited for`() throws {
        var options = SocketOptions()
        options.highWaterMark = 4
        options.linger = .zero
        let socket = try Socket(.dealer, in: context, options: options)
        try socket.connect("tcp://127.0.0.1:1")
        var queued = 0
        while queued < 100, try socket.send([1]) { queued += 1 }
        #expect(queued == 4)
    }

    @Test func `a message refused by a full queue is unchanged`() throws {
        var options = SocketOptions()
        options.highWaterMark = 1
        options.linger = .zero
        let socket = try Socket(.dealer, in: context, options: options)
        try socket.connect("tcp://127.0.0.1:1")
        #expect(try socket.send([1]))
        let message = Message(copying: [4, 5])
        #expect(try !socket.send(message))
        #expect(message.copy() == [4, 5])
    }

    @Test func `an address in use says so and what to do`() throws {
        let first = try Socket(.router, in: context)
        let endpoint = try first.bind("tcp://127.0.0.1:*")
        let second = try Socket(.router, in: context)
        let error = #expect(throws: ZeroMQError.self) { _ = try second.bind(endpoint) }
        #expect(try #require(error).description.contains("address is in use: choose another port"))
    }

    @Test func `a message longer than allowed ends its connection`() throws {
        var options = SocketOptions()
        options.maximumPartBytes = 1_000
        let router = try Socket(.router, in: context, options: options)
        let monitor = try SocketMonitor(router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect(endpoint)
        #expect(try dealer.send([UInt8](repeating: 0, count: 1_001)))
        let events = try eventsUntilDisconnect(monitor)
        guard case .disconnected? = events.last else { return #expect(Bool(false), "no disconnect: \(events)") }
        #expect(try router.receive() == nil)
    }

    @Test func `bytes that are not ZeroMQ's never become a connection`() throws {
        let router = try Socket(.router, in: context)
        let monitor = try SocketMonitor(router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
        for stranger in [
            "GET / HTTP/1.1\r\nHost: here\r\n\r\n", String(repeating: "\u{7f}", count: 4_000), "\u{1}\u{0}\u{0}",
        ] {
            let connection = try RawConnection(port: port)
            connection.write(Array(stranger.utf8))
            connection.close()
            let events = try eventsUntilDisconnect(monitor)
            #expect(!events.contains(.connected))
        }
        #expect(try router.receive() == nil)
    }

    @Test func `a stranger who announces a long handshake command is cut off at once`() throws {
        var options = SocketOptions()
        options.security = .server(.generate())
        options.handshakeTimeout = .seconds(60)
        let router = try Socket(.router, in: context, options: options)
        let monitor = try SocketMonitor(router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        let stranger = try RawConnection(port: try #require(UInt16(endpoint.split(separator: ":").last ?? "")))
        let mechanism = Array("CURVE".utf8) + [UInt8](repeating: 0, count: 15)
        let greeting =
            [0xFF] + [UInt8](repeating: 0, count: 8) + [0x7F, 3, 1] + mechanism + [UInt8](repeating: 0, count: 32)
        let length = UInt64(1 << 20).bigEndian
        stranger.write(
            greeting + [0x06] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array("\u{5}HELLO".utf8)
        )
        guard case .disconnected? = try eventsUntilDisconnect(monitor).last else {
            return #expect(Bool(false), "still connected")
        }
        stranger.close()
    }

    @Test func `long messages travel in parts, and other cuts are refused`() throws {
        let router = try Socket(.router, in: context)
        let dealer = try Socket(.dealer, in: context)
        try dealer.connect(try router.bind("tcp://127.0.0.1:*"))
        let poller = Poller()
        poller.add(router)
        let longest = SocketOptions.longestPart
        func received(limit: Int = 1 << 20) throws -> [UInt8]? {
            while true {
                guard let connection = try router.receive() else {
                    try #require(try poller.wait(until: .now + .seconds(20)))
                    continue
                }
                let first = try router.receive()
                let isFollowed = connection.hasMore
                try #require(isFollowed)
                guard let first else { return nil }
                return try router.gather(first, limit: limit)
            }
        }
        for count in [0, 1, longest, longest + 1, 3 * longest, 3 * longest + 7] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 100) }
            #expect(try dealer.sendInParts(bytes))
            #expect(try received() == bytes)
            #expect(try dealer.sendInParts(bytes))
            #expect(try received(limit: count - 1) == nil)
        }
        let (whole, half) = ([UInt8](repeating: 1, count: longest), [UInt8](repeating: 1, count: longest / 2))
        for cut in [[half, half], [whole, half, half], [whole, []], [[], whole]] {
            for (place, part) in cut.enumerated() { #expect(try dealer.send(part, more: place + 1 < cut.count)) }
            #expect(try received() == nil)
        }
        #expect(try dealer.sendInParts([7]))
        #expect(try received() == [7])
    }

    @Test func `a connection that says nothing is left to the kernel`() throws {
        let router = try Socket(.router, in: context)
        let monitor = try SocketMonitor(router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        #expect(try monitor.next() == nil)
        let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
        let silent = try (0..<20).map { _ in try RawConnection(port: port) }
        // Connections are taken in order: this one after those, had they been taken.
        let speaking = try RawConnection(port: port)
        speaking.write(Array("no greeting".utf8))
        speaking.close()
        #expect(try eventsUntilDisconnect(monitor).contains { if case .disconnected = $0 { true } else { false } })
        let (established, begun) = ("01", "03")
        let states = try statesOfConnections(to: port)
        #expect(!states.contains(established) && states.count { $0 == begun } == silent.count, "\(states)")
        for connection in silent { connection.close() }
    }

    /// The kernel's numbers for the states of the connections at a port of this machine.
    private func statesOfConnections(to port: UInt16) throws -> [String] {
        let place = ":" + String(format: "%04X", port)
        let tables = try ["tcp", "tcp6"].map {
            try FileHandle(forReadingFrom: URL(filePath: "/proc/net/\($0)")).readToEnd() ?? Data()
        }
        return tables.flatMap { String(decoding: $0, as: UTF8.self).split(separator: "\n") }.compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 3 && words[1].hasSuffix(place) ? String(words[3]) : nil
        }
    }

    @Test func `a wake-up before the wait is not missed`() throws {
        let wakeup = try Wakeup()
        let poller = Poller()
        poller.add(wakeup)
        for _ in 0..<3 { wakeup.signal() }
        #expect(try poller.wait(until: .now + .seconds(20)))
        wakeup.clear()
        #expect(try !poller.wait(until: .now))
    }

    /// What the monitor reports, up to the end of the next connection that ends.
    private func eventsUntilDisconnect(_ monitor: borrowing SocketMonitor) throws -> [SocketMonitor.Event] {
        let poller = Poller()
        poller.add(monitor.socket)
        var events: [SocketMonitor.Event] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while try poller.wait(until: deadline) {
            guard let event = try monitor.next() else { continue }
            events.append(event)
            if case .disconnected = event { break }
        }
        return events
    }
}
