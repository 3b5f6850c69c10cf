import Dispatch
import Synchronization
import Testing

@testable import Transport

/// Rank 1 links with rank 0 alone, and sends to it while rank 0 still waits for rank 2.
@Suite struct EarlyFramesTests {
    @Test func `a rank that sends without end while links form is named, and ends the forming`() throws {
        let results = try onThreeRanks(sending: 1_000, early: 0)
        #expect(throws: MeshError.flooded(rank: 1)) { try results[0].get() }
        #expect(throws: MeshError.lost(rank: 0)) { try results[1].get() }
    }

    @Test func `what a rank may send before all links stand is received after that, in order`() throws {
        for result in try onThreeRanks(sending: 100, early: 64 << 20) { #expect(try result.get() == 100) }
    }

    /// - Parameters:
    ///   - frames: of one MiB, that rank 1 sends. Rank 2 comes only after they were all sent.
    ///   - early: see ``MeshListener/begun(rank:roster:others:early:until:)``.
    /// - Returns: the frames that rank 0 received in order; for the others those sent.
    private func onThreeRanks(sending frames: Int, early: Int) throws -> [Result<Int, any Error>] {
        let context = try Context()
        let ranks = Ranks<Int>(size: 3)
        let course = Course()
        let threads = (0..<3).map { rank in
            ServiceThread {
                ranks.finish(
                    rank,
                    Result {
                        let listener = try MeshListener(at: "tcp://127.0.0.1:*", keys: nil, in: context)
                        let endpoints = ranks.announce(rank, listener.endpoint)
                        let roster = MeshRoster(
                            generation: 5, token: 77, peers: endpoints.map { MeshPeer(endpoint: $0, key: nil) })
                        defer { if rank == 0 { course.end(.over) } }
                        if rank == 2, course.wait() == .over { return 0 }
                        let deadline = ContinuousClock.now + .seconds(60)
                        let mesh = try listener.begun(
                            rank: rank, roster: roster, others: rank == 0 ? nil : [0], early: early, until: deadline)
                        try mesh.form(deadline: deadline)
                        if rank == 0 { for step in 0..<frames { try expect(UInt64(step), mesh) } }
                        if rank == 1 {
                            let payload = [UInt8](repeating: 7, count: 1 << 20)
                            for step in 0..<frames {
                                try mesh.send(
                                    .data(from: 1, step: UInt64(step)), payload, to: 0, within: .seconds(60))
                            }
                            course.end(.sent)
                        }
                        ranks.meet()
                        return frames
                    })
            }
        }
        for thread in threads { thread.join() }
        return ranks.results
    }

    /// What rank 2 waits for.
    private final class Course: Sendable {
        enum End: Sendable { case sent, over }
        private let end = Mutex<End?>(nil)
        private let bell = DispatchSemaphore(value: 0)

        func end(_ end: End) {
            self.end.withLock { $0 = $0 ?? end }
            bell.signal()
        }

        func wait() -> End? {
            bell.wait()
            return end.withLock { $0 }
        }
    }

    private func expect(_ step: UInt64, _ mesh: ZeroMQMesh) throws {
        let (header, bytes) = try mesh.receive()
        #expect(header.step == step && bytes.count == 1 << 20)
    }
}
