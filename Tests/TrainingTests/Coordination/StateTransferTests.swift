import Tensors
import Testing
import Transport
import TransportTesting

@testable import Coordination
@testable import Learning

@Suite struct StateTransferTests {
    private static func state(filledWith value: Float) -> TrainingState {
        func buffer(_ count: Int) -> FloatBuffer {
            let buffer = FloatBuffer(count: count)
            buffer.view.fill(value)
            return buffer
        }
        return TrainingState(
            parameters: buffer(StateTransfer.frameElements + 3), first: buffer(5), second: buffer(5),
            touched: TouchedRows(rows: 4))
    }

    private static func transfer(sentAfter sent: Int, wantedAfter wanted: Int) throws -> TrainingState {
        let world = InMemoryMesh.world(size: 2)
        let deadline = ContinuousClock.now + .seconds(60)
        var source = state(filledWith: 2)
        source.touched.insert([1, 3])
        try StateTransfer.send(source, after: sent, over: world[0], generation: 1, to: 1, deadline: deadline)
        var received = state(filledWith: 0)
        try StateTransfer.receive(into: &received, after: wanted) { () throws(MeshError) in
            try world[1].receive(deadline: deadline)
        }
        return received
    }

    @Test func `a state arrives whole under the step that it is after`() throws {
        let received = try Self.transfer(sentAfter: 7, wantedAfter: 7)
        let source = Self.state(filledWith: 2)
        #expect(received.parameters.view.array == source.parameters.view.array)
        #expect(
            received.first.view.array == source.first.view.array
                && received.second.view.array == source.second.view.array)
        #expect((0..<4).filter { received.touched.contains($0) } == [1, 3])
    }

    @Test(arguments: [6, 8]) func `a state after another step is not taken`(step: Int) {
        #expect(throws: MeshError.lost(rank: 0)) { try Self.transfer(sentAfter: step, wantedAfter: 7) }
    }
}
