import Foundation
import Testing

@testable import Transport

/// Ranks with bulk links to each other and ZeroMQ's to a last one, as workers and their coordinator have.
@Suite struct MixedMeshTests {
    private static let payload = [UInt8](repeating: 5, count: 64 << 10)
    /// More frames than two queues and the kernel hold.
    private static let frames = 400

    @Test func `frames that arrive while links form come before later ones`() throws {
        let context = try Context()
        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
        let bulk = try BulkListener(address: "127.0.0.1", identity: nil, heartbeatTimeout: .seconds(3))
        var own = MeshPeer(endpoint: listener.endpoint, key: nil)
        own.bulk = bulk.place
        // The other rank's port is known, and opens once this rank has taken its frames in: the link stands only then.
        let reserved = try TCPProbe.Listener(address: "127.0.0.1", port: 0, accepts: false)
        let later = "tcp://127.0.0.1:\(reserved.port)"
        let roster = MeshRoster(generation: 5, token: 77, peers: [own, MeshPeer(endpoint: later, key: nil)])
        let early = try Socket(.dealer, in: context, options: MeshListener.options)
        try early.connect(own.endpoint)
        let ranks = Ranks<[UInt64]>(size: 1)
        let forming = Forming(listener: listener, bulk: bulk)
        let thread = ServiceThread {
            ranks.finish(
                0,
                Result {
                    let mesh = try forming.mesh(roster)
                    return try (0..<Self.frames).map { _ in try mesh.receive().header.step }
                })
        }
        let poller = Poller()
        poller.add(early)
        let hello = LinkAdmission(roster: roster, rank: 1).hello
        let headers = [hello] + (1...Self.frames).map { FrameHeader.data(from: 1, step: UInt64($0)) }
        for header in headers {
            let payload = header == hello ? [] : Self.payload
            while try !early.send(FrameCodec.encode(header, payloadBytes: payload.count) + payload) {
                poller.watch(0, incoming: false, room: true)
                try #require(try poller.wait(until: .now + .seconds(20)))
            }
        }
        _ = consume reserved
        let door = try Socket(.router, in: context, options: MeshListener.options)
        _ = try door.bind(later)
        thread.join()
        #expect(try ranks.results[0].get() == (1...Self.frames).map { UInt64($0) })
    }

    @Test(arguments: [false, true])
    func `a rank that waits for room on a link of ZeroMQ takes in what comes over bulk links`(encrypted: Bool) throws {
        let isSent = DispatchSemaphore(value: 0)
        let results = try onMixedMeshes(of: 3, plain: [2], encrypted: { _ in encrypted }) { mesh in
            switch mesh.rank {
            case 0:
                for step in 1...Self.frames { try mesh.send(.data(from: 0, step: UInt64(step)), Self.payload, to: 2) }
                return try (1...Self.frames).allSatisfy { try mesh.receive().header.step == UInt64($0) }
            case 1:
                defer { isSent.signal() }
                for step in 1...Self.frames { try mesh.send(.data(from: 1, step: UInt64(step)), Self.payload, to: 0) }
            default:
                // Rank 0 has room only once it has taken in everything of rank 1.
                isSent.wait()
                return try (1...Self.frames).allSatisfy { try mesh.receive().header.step == UInt64($0) }
            }
            return true
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func `a bulk link that ends is noticed while a rank waits for room on a link of ZeroMQ`() throws {
        let isDone = DispatchSemaphore(value: 0)
        let results = try onMixedMeshes(of: 3, plain: [2]) { mesh in
            switch mesh.rank {
            case 0:
                defer { isDone.signal() }
                #expect(throws: MeshError.lost(rank: 1)) {
                    for step in 1...Self.frames {
                        try mesh.send(.data(from: 0, step: UInt64(step)), Self.payload, to: 2)
                    }
                }
            case 1: throw CancellationError()
            default: isDone.wait()
            }
        }
        _ = try results[0].get()
    }
}

/// A rank's listeners, for the thread that forms its mesh.
private final class Forming: @unchecked Sendable {
    private var listener: MeshListener?
    private let bulk: BulkListener

    init(listener: consuming MeshListener, bulk: BulkListener) {
        self.listener = consume listener
        self.bulk = bulk
    }

    func mesh(_ roster: MeshRoster) throws -> any Mesh {
        guard let listener = listener.take() else { preconditionFailure("a mesh without an endpoint") }
        return try listener.mesh(rank: 0, roster: roster, bulk: bulk, deadline: .now + .seconds(20))
    }
}
