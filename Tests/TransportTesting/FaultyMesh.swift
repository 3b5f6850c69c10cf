package import Transport

/// A mesh with the faults of a network, determined only by a seed.
///
/// Frames of one peer keep their order; frames of different peers overtake each other.
package final class FaultyMesh: Mesh {
    package struct Faults: Sendable {
        /// Probability, in thousandths, that a received frame is held back until others have overtaken it.
        package var delayPerMille = 0
        /// Probability, in thousandths, that a received frame has lost the end of its payload.
        package var truncatePerMille = 0
        /// Number of calls after which the link to a random peer is lost.
        package var callsUntilLoss: Int?

        package init() {}
    }

    package var rank: Int { mesh.rank }
    package var worldSize: Int { mesh.worldSize }
    private let mesh: any Mesh
    private let faults: Faults
    private var generator: SeededGenerator
    private var calls = 0
    private var lost: Int?
    private var heldBack: [any ReceivedFrame] = []

    package init(_ mesh: any Mesh, seed: UInt64, faults: Faults) {
        self.mesh = mesh
        self.faults = faults
        generator = SeededGenerator(seed: seed)
    }

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try countCall()
        try mesh.send(header, payload: payload, to: peer, deadline: deadline)
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        try countCall()
        while true {
            if !heldBack.isEmpty, !happens(faults.delayPerMille) { return truncated(release()) }
            let frame: any ReceivedFrame
            do throws(MeshError) {
                // A held frame must not wait for one that never arrives.
                frame = try mesh.receive(deadline: heldBack.isEmpty ? deadline : min(deadline, .now + .milliseconds(1)))
            } catch {
                guard case .deadline = error, !heldBack.isEmpty else { throw error }
                return truncated(release())
            }
            if heldBack.contains(where: { $0.header.sender == frame.header.sender }) || happens(faults.delayPerMille) {
                heldBack.append(frame)
            } else {
                return truncated(frame)
            }
        }
    }

    /// The oldest held frame of a random sender among those held.
    private func release() -> any ReceivedFrame {
        let sender = heldBack.randomElement(using: &generator)!.header.sender
        return heldBack.remove(at: heldBack.firstIndex { $0.header.sender == sender }!)
    }

    private func truncated(_ frame: any ReceivedFrame) -> any ReceivedFrame {
        guard happens(faults.truncatePerMille) else { return frame }
        let bytes = frame.withPayload { payload in unsafe payload.withUnsafeBytes { unsafe Array($0) } }
        guard !bytes.isEmpty else { return frame }
        return InMemoryFrame(
            header: frame.header, bytes: Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))))
    }

    private func countCall() throws(MeshError) {
        if let lost { throw .lost(rank: lost) }
        calls += 1
        guard let limit = faults.callsUntilLoss, calls > limit, worldSize > 1 else { return }
        let peer = (rank + Int.random(in: 1..<worldSize, using: &generator)) % worldSize
        lost = peer
        throw .lost(rank: peer)
    }

    private func happens(_ perMille: Int) -> Bool { Int.random(in: 0..<1_000, using: &generator) < perMille }
}
