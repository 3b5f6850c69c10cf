import Testing
import Transport
import TransportTesting

@testable import Coordination

/// What a holder of a key may make a worker keep.
@Suite struct WorkerMeshTests {
    private static let most = WaitingFrames.most
    /// Ranks 0 and 1 are workers, rank 2 is the coordinator.
    private let world = InMemoryMesh.world(size: 3, capacity: 2 * WorkerMeshTests.most)

    private func send(_ kind: UInt8, step: Int = 1, from sender: Int, times: Int = 1) throws {
        let payload: [UInt8] = [1, 2, 3]
        for _ in 0..<times {
            try unsafe world[sender].send(
                FrameHeader(
                    kind: kind, sender: UInt16(sender), generation: 1, step: UInt64(step), bucket: 0, offset: 0,
                    count: 1), payload: payload.span.bytes, to: 0, deadline: .now + .seconds(60))
        }
    }

    private func receiveFed(_ mesh: WorkerMesh, step: UInt64) throws -> FrameHeader {
        try mesh.receiveFed(deadline: .now + .seconds(60)) { $0.step == step }.header
    }

    @Test func `frames of both kinds wait until they are asked for`() throws {
        let mesh = WorkerMesh(world[0])
        try send(ShardFrame.Kind.lane.rawValue, step: 2, from: 2)
        try send(18, from: 1)
        try send(ShardFrame.Kind.lane.rawValue, step: 1, from: 2)
        #expect(try receiveFed(mesh, step: 1).sender == 2)
        #expect(try mesh.receive(deadline: .now + .seconds(60)).header.kind == 18)
        #expect(try receiveFed(mesh, step: 2).sender == 2)
    }

    @Test func `unrequested samples end a worker's wait for an exchange and name the sender`() throws {
        let mesh = WorkerMesh(world[0])
        try send(ShardFrame.Kind.lane.rawValue, from: 1, times: Self.most + 1)
        #expect(throws: MeshError.overrun(rank: 1)) { try mesh.receive(deadline: .now + .seconds(60)) }
    }

    @Test(arguments: [(UInt8(18), 1), (ShardFrame.Kind.scores.rawValue, 2)])
    func `frames that do not fit end a worker's wait for samples by name`(kind: UInt8, sender: Int) throws {
        let mesh = WorkerMesh(world[0])
        try send(kind, from: sender, times: Self.most + 1)
        #expect(throws: MeshError.overrun(rank: sender)) { try receiveFed(mesh, step: 9) }
    }

    @Test func `as many as may wait are kept`() throws {
        let mesh = WorkerMesh(world[0])
        try send(ShardFrame.Kind.lane.rawValue, from: 2, times: Self.most)
        try send(ShardFrame.Kind.lane.rawValue, step: 9, from: 2)
        #expect(try receiveFed(mesh, step: 9).step == 9)
        for _ in 0..<Self.most { #expect(try receiveFed(mesh, step: 1).step == 1) }
    }
}
