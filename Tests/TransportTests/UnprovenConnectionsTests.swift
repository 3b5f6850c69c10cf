import Foundation
import Testing

@testable import Transport

@Suite struct UnprovenConnectionsTests {
    private let most = Int32(UnprovenConnections.most)

    @Test func `the door closes at the limit and opens when half of them are gone`() {
        var connections = UnprovenConnections()
        for descriptor in 1..<most { #expect(connections.accepted(descriptor) == nil) }
        #expect(connections.accepted(most) == .close)
        // What the kernel had accepted already still comes.
        #expect(connections.accepted(most + 1) == nil)
        for descriptor in 1...(most / 2) { #expect(connections.remove(descriptor) == nil) }
        #expect(connections.remove(most) == .open)
        #expect(connections.door == .open && connections.count == UnprovenConnections.most / 2)
    }

    @Test func `connections that have proven a key do not count`() {
        var connections = UnprovenConnections()
        for descriptor in 1...(3 * most) {
            #expect(connections.accepted(descriptor) == nil)
            #expect(connections.remove(descriptor) == nil)
        }
        #expect(connections.count == 0)
    }

    @Test func `a door that is shut stays shut`() {
        var connections = UnprovenConnections()
        #expect(connections.shut() == .close)
        #expect(connections.shut() == nil)
        #expect(connections.accepted(1) == nil && connections.remove(1) == nil)
        #expect(connections.door == .shut)
    }

    @Test func `past the limit connections wait in the kernel until others end`() throws {
        let context = try Context()
        var options = SocketOptions()
        options.handshakeTimeout = .seconds(60)
        let router = try Socket(.router, in: context, options: options)
        let monitor = try SocketMonitor(router, in: context)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        #expect(try monitor.next() == nil)
        let port = try #require(UInt16(endpoint.split(separator: ":").last ?? ""))
        var strangers: [RawConnection] = []
        while monitor.unprovenConnections < UnprovenConnections.most {
            let missing = UnprovenConnections.most - strangers.count
            for _ in 0..<missing {
                let stranger = try RawConnection(port: port)
                stranger.write([0xFF])
                strangers.append(stranger)
            }
            #expect(try monitor.next() == nil)
        }
        let late = try RawConnection(port: port, isPatient: false)
        #expect(!late.stands(within: .milliseconds(50)))
        for stranger in strangers { stranger.close() }
        let poller = Poller()
        poller.add(monitor.socket)
        let deadline = ContinuousClock.now + .seconds(20)
        while monitor.unprovenConnections > 0, try poller.wait(until: deadline) { while try monitor.next() != nil {} }
        #expect(late.stands(within: .seconds(20)))
        late.close()
    }
}
