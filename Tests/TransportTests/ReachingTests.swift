import Foundation
import Testing

@testable import Transport

/// How a rank finds the addresses of others, and what it says of those that it cannot reach.
@Suite struct ReachingTests {
    private let canceller: MeshCanceller

    init() throws { canceller = try MeshCanceller() }

    private func roster(_ host: String) -> MeshRoster {
        var worker = MeshPeer(endpoint: "tcp://\(host):5000", key: nil)
        worker.bulk = BulkPlace(endpoint: "tcp://\(host):5001", certificate: nil)
        return MeshRoster(
            generation: 1, token: 1, peers: [MeshPeer(endpoint: "tcp://elsewhere:1", key: nil), worker])
    }

    @Test func `names become numbers, and numbers are not looked up`() throws {
        let named = NameLookup { $0 == "a.host" ? "fd00::1" : nil }
        let found = try roster("a.host").numbered(for: 0, by: named, until: .now + .seconds(20), canceller)
        #expect(found.peers[1].endpoint == "tcp://[fd00::1]:5000")
        #expect(found.peers[1].bulk?.endpoint == "tcp://[fd00::1]:5001")
        #expect(found.peers[0].endpoint == "tcp://elsewhere:1")
        for host in ["127.0.0.1", "[::1]"] {
            let unused = NameLookup { _ in preconditionFailure("a number was looked up") }
            #expect(try roster(host).numbered(for: 0, by: unused, until: .now, canceller) == roster(host))
        }
        let real = try roster("localhost").numbered(for: 0, until: .now + .seconds(20), canceller)
        #expect(["tcp://127.0.0.1:5000", "tcp://[::1]:5000"].contains(real.peers[1].endpoint))
    }

    @Test func `a resolver without an answer is waited for until the deadline or the generation's end`() throws {
        let isOver = DispatchSemaphore(value: 0)
        defer { for _ in 0..<2 { isOver.signal() } }
        let stuck = NameLookup { _ in
            isOver.wait()
            return nil
        }
        #expect(throws: MeshError.deadline(waitingFor: [1])) {
            try roster("slow").numbered(for: 0, by: stuck, until: .now + .milliseconds(50), canceller)
        }
        let cancelled = canceller
        let thread = ServiceThread { cancelled.cancel() }
        defer { thread.join() }
        #expect(throws: MeshError.cancelled) {
            try roster("slow").numbered(for: 0, by: stuck, until: .now + .seconds(60), canceller)
        }
    }

    @Test func `the error for an unknown host has its name`() throws {
        let unknown = NameLookup { _ in nil }
        #expect(throws: MeshError.unreachable(ranks: [1], reason: "the host nowhere is unknown")) {
            try roster("nowhere").numbered(for: 0, by: unknown, until: .now + .seconds(60), canceller)
        }
    }

    @Test func `only an address that refuses for a while is given up`() {
        let begin = ContinuousClock.now
        func after(_ seconds: Double) -> ContinuousClock.Instant { begin + .seconds(seconds) }
        var refused = RefusedDials()
        refused.failed(2, ECONNREFUSED, at: begin)
        refused.failed(1, ETIMEDOUT, at: begin)
        refused.failed(0, EHOSTUNREACH, at: begin)
        refused.failed(2, ECONNREFUSED, at: after(2))
        #expect(refused.end(at: after(2.9)) == nil)
        #expect(refused.end(at: after(3)) == .unreachable(ranks: [0, 2], reason: "No route to host"))
        refused.reached(0)
        #expect(refused.end(at: after(3)) == .unreachable(ranks: [2], reason: "Connection refused"))
        refused.reached(2)
        refused.failed(2, ECONNREFUSED, at: after(4))
        #expect(refused.end(at: after(6)) == nil)
    }

    @Test func `a rank whose port refuses ZeroMQ's link is named long before the deadline`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let closed = try TCPProbe.Listener(address: "127.0.0.1", port: 0, accepts: false)
        let absent = MeshPeer(endpoint: "tcp://127.0.0.1:\(closed.port)", key: nil)
        let roster = MeshRoster(
            generation: 1, token: 1, peers: [MeshPeer(endpoint: listener.endpoint, key: nil), absent])
        #expect(failure(listener, roster) == .unreachable(ranks: [1], reason: "Connection refused"))
    }

    @Test(arguments: [false, true])
    func `a roster with another kind of link than this process has is refused`(hasKeys: Bool) throws {
        let context = try Context()
        let keys = hasKeys ? KeyPair.generate() : nil
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: keys, in: context)
        let other = MeshPeer(endpoint: "tcp://127.0.0.1:1", key: hasKeys ? nil : KeyPair.generate().publicKey)
        let own = MeshPeer(endpoint: listener.endpoint, key: keys?.publicKey)
        guard
            case .socket(let operation, EPROTO)? = failure(
                listener, MeshRoster(generation: 1, token: 1, peers: [own, other]))
        else {
            Issue.record("the roster was not refused")
            return
        }
        #expect(operation.contains("rank 1") && operation.contains(hasKeys ? "has keys" : "has none"))
    }

    private func failure(_ listener: consuming MeshListener, _ roster: MeshRoster) -> MeshError? {
        do throws(MeshError) {
            _ = try listener.mesh(rank: 0, roster: roster, deadline: .now + .seconds(60))
            return nil
        } catch {
            return error
        }
    }
}

@Suite struct CrowdingTests {
    private let crowding = Crowding(expected: ["10.0.0.1", "10.0.0.2"])

    private func from(_ origins: String...) -> [Crowding.Connection] {
        origins.map { .init(origin: String($0.split(separator: "+")[0]), hasAnswered: $0.hasSuffix("+")) }
    }

    @Test func `strangers give way before peers, the address with the most before others, the oldest first`() {
        #expect(crowding.givesWay([]) == nil)
        #expect(crowding.givesWay(from("10.0.0.1", "1.1.1.1", "10.0.0.1")) == 1)
        #expect(crowding.givesWay(from("1.1.1.1", "2.2.2.2", "2.2.2.2")) == 1)
        #expect(crowding.givesWay(from("1.1.1.1", "2.2.2.2")) == 0)
        #expect(crowding.givesWay(from("10.0.0.1", "10.0.0.2", "10.0.0.2")) == 1)
        // A handshake that has begun stays before one that has not.
        #expect(crowding.givesWay(from("10.0.0.1+", "10.0.0.1", "10.0.0.1")) == 1)
        #expect(crowding.givesWay(from("1.1.1.1+", "2.2.2.2", "1.1.1.1+")) == 1)
    }

    @Test func `a peer's only connection stays when descriptors are short`() {
        #expect(crowding.givesWayToAny(from("10.0.0.1")) == nil)
        #expect(crowding.givesWayToAny(from("10.0.0.1", "10.0.0.1")) == 0)
        #expect(crowding.givesWayToAny(from("10.0.0.1", "1.1.1.1")) == 1)
        #expect(crowding.givesWayToAny([]) == nil)
    }
}
