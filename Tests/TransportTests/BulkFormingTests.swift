import Foundation
import Testing

@testable import Transport

@Suite struct BulkFormingTests {
    @Test(arguments: [(false, true), (true, false)])
    func `a rank in clear and one with keys do not link, whatever a roster says`(first: Bool, second: Bool) throws {
        // What the coordinator would send.
        let told = try onBulkMeshes(of: 2, encrypted: { $0 == 0 ? first : second }) { _ in }
        for (rank, result) in told.enumerated() {
            guard case MeshError.socket(let operation, EPROTO)? = result.error else {
                Issue.record("\(result)")
                continue
            }
            let isEncrypted = rank == 0 ? first : second
            #expect(operation.contains("rank \(1 - rank)") && operation.contains(isEncrypted ? "has keys" : "in clear"))
        }
        // Each is told that the other is as itself.
        let refusals = RefusalCount()
        let misled = try onBulkMeshes(
            of: 2, encrypted: { $0 == 0 ? first : second }, within: .milliseconds(400),
            roster: { rank, roster in
                let other = CertificateDigest([UInt8](repeating: 1, count: 32))
                let isEncrypted = roster.peers[rank].bulk?.certificate != nil
                roster.peers[1 - rank].bulk?.certificate = isEncrypted ? other : nil
            }, refusals: refusals
        ) { _ in }
        for (rank, result) in misled.enumerated() {
            #expect(result.error as? MeshError == .deadline(waitingFor: [1 - rank]))
        }
        #expect(refusals.total > 0)
    }

    @Test(arguments: [0, 1])
    func `a certificate that the roster does not name gets no link`(liar: Int) throws {
        let results = try onBulkMeshes(
            of: 2, encrypted: { _ in true }, within: .milliseconds(400),
            roster: { rank, roster in
                if rank == liar {
                    roster.peers[1 - rank].bulk?.certificate = CertificateDigest([UInt8](repeating: 1, count: 32))
                }
            }
        ) { _ in }
        for (rank, result) in results.enumerated() {
            #expect(result.error as? MeshError == .deadline(waitingFor: [1 - rank]))
        }
    }

    @Test func `a rank cannot speak for another one`() throws {
        let results = try onBulkMeshes(
            of: 3, encrypted: { _ in true }, within: .milliseconds(400),
            roster: { rank, roster in
                // Ranks 1 and 2 have changed places for rank 0.
                let bulk = (roster.peers[1].bulk, roster.peers[2].bulk)
                if rank == 0 { (roster.peers[1].bulk, roster.peers[2].bulk) = (bulk.1, bulk.0) }
            }
        ) { _ in }
        #expect(results[0].error as? MeshError == .deadline(waitingFor: [1, 2]))
    }

    @Test func `another token gets no link in clear`() throws {
        let results = try onBulkMeshes(
            of: 2, encrypted: { _ in false }, within: .milliseconds(400),
            roster: { rank, roster in if rank == 1 { roster.token = 78 } }
        ) { _ in }
        #expect(results[0].error as? MeshError == .deadline(waitingFor: [1]))
    }

    @Test(arguments: [false, true])
    func `strangers neither prevent links nor get one, and find the door shut afterwards`(encrypted: Bool) throws {
        let strangers = Connections()
        let refusals = RefusalCount()
        let results = try onBulkMeshes(
            of: 2, encrypted: { _ in encrypted },
            before: { rank, roster in
                guard rank == 0, let port = roster.peers[0].bulkPort else { return }
                for words in ["", "GET / HTTP/1.1\r\n\r\n", String(repeating: "x", count: 500), "\u{16}\u{3}\u{1}"] {
                    let stranger = try RawConnection(port: port)
                    if !words.isEmpty { stranger.write(Array(words.utf8)) }
                    strangers.add(stranger)
                }
                // As many as may be undecided at a time, less those above and rank 1.
                for _ in 0..<(BulkForming.mostUnproven - 5) {
                    let stranger = try RawConnection(port: port)
                    stranger.write([0x16, 3])
                    strangers.add(stranger)
                }
            }, refusals: refusals
        ) { mesh in
            let late = try RawConnection(port: try #require(mesh.places[mesh.rank].bulkPort), isPatient: false)
            defer { late.close() }
            try mesh.send(.data(from: mesh.rank), [1], to: 1 - mesh.rank)
            return try mesh.receive().bytes == [1] && !late.stands(within: .milliseconds(50))
        }
        for result in results { #expect(try result.get()) }
        #expect(refusals.total >= 1)
        strangers.close()
    }

    @Test(arguments: [false, true])
    func `peers get their links although strangers hold more connections than may be undecided`(encrypted: Bool) throws
    {
        let strangers = Connections()
        try DescriptorLimit.raise()
        let results = try onBulkMeshes(
            of: 3, encrypted: { _ in encrypted }, within: .seconds(10),
            before: { rank, roster in
                guard rank == 0, let port = roster.peers[0].bulkPort else { return }
                for _ in 0..<(2 * BulkForming.mostUnproven + 128) {
                    let stranger = try RawConnection(port: port)
                    stranger.write([0x16])
                    strangers.add(stranger)
                }
            }
        ) { try exchange($0, frames: 3) }
        for result in results { #expect(try result.get()) }
        strangers.close()
    }

    @Test func `a rank whose port refuses every connection is named long before the deadline`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let bulk = try BulkListener(address: "127.0.0.1", identity: nil, heartbeatTimeout: .seconds(3))
        let closed = try TCPProbe.Listener(address: "127.0.0.1", port: 0, accepts: false)
        var (own, absent) = (MeshPeer(endpoint: listener.endpoint, key: nil), MeshPeer(endpoint: "", key: nil))
        own.bulk = bulk.place
        absent.bulk = BulkPlace(endpoint: "tcp://127.0.0.1:\(closed.port)", certificate: nil)
        let roster = MeshRoster(generation: 1, token: 1, peers: [absent, own])
        #expect(
            failureToForm(listener, roster, bulk, rank: 1, within: .seconds(60))
                == .unreachable(ranks: [0], reason: "Connection refused"))
    }

    @Test func `a rank that never comes is named`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let bulk = try BulkListener(address: "127.0.0.1", identity: nil, heartbeatTimeout: .seconds(3))
        var (own, absent) = (MeshPeer(endpoint: listener.endpoint, key: nil), MeshPeer(endpoint: "", key: nil))
        own.bulk = bulk.place
        absent.bulk = BulkPlace(endpoint: "tcp://127.0.0.1:1", certificate: nil)
        let roster = MeshRoster(generation: 1, token: 1, peers: [own, absent])
        #expect(failureToForm(listener, roster, bulk) == .deadline(waitingFor: [1]))
    }

    private func failureToForm(
        _ listener: consuming MeshListener, _ roster: MeshRoster, _ bulk: BulkListener, rank: Int = 0,
        within limit: Duration = .milliseconds(300)
    ) -> MeshError? {
        do throws(MeshError) {
            _ = try listener.mesh(rank: rank, roster: roster, bulk: bulk, deadline: .now + limit)
            return nil
        } catch {
            return error
        }
    }

    @Test func `an address of another machine is refused in a line`() {
        #expect(throws: BulkLinkError.self) {
            try BulkListener(address: "192.0.2.1", identity: nil, heartbeatTimeout: .seconds(3))
        }
    }

    @Test func `a certificate's hash is written in hexadecimal digits, and nothing else is read`() throws {
        let digest = try TLSIdentity().digest
        let text = try JSONEncoder().encode(digest)
        #expect(text.count == 66)
        #expect(try JSONDecoder().decode(CertificateDigest.self, from: text) == digest)
        #expect(try TLSIdentity().digest != digest)
        for wrong in ["", "00", String(repeating: "g", count: 64), String(repeating: "0", count: 63)] {
            #expect(throws: DecodingError.self) {
                try JSONDecoder().decode(CertificateDigest.self, from: JSONEncoder().encode(wrong))
            }
        }
    }
}

/// Connections of strangers, kept open by one thread and closed by another.
private final class Connections: @unchecked Sendable {
    private var all: [RawConnection] = []
    func add(_ connection: RawConnection) { all.append(connection) }
    func close() { for connection in all { connection.close() } }
}

enum DescriptorLimit {
    /// As far as the system allows.
    static func raise() throws {
        var limit = rlimit()
        try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        limit.rlim_cur = limit.rlim_max
        try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    }
}
