import Foundation
import Synchronization
import Transport

/// Meshes between the threads of one process: bounded queues in memory.
final class LocalMesh: Mesh {
    struct Frame: ReceivedFrame {
        let header: FrameHeader
        let bytes: [UInt8]

        func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
        {
            try unsafe body(bytes.span.bytes)
        }
    }

    /// What all ranks share: a queue for each link, and one condition for all of them.
    final class Wires: @unchecked Sendable {  // All fields are read and written with the condition locked.
        let condition = NSCondition()
        var queues: [[[Frame]]]
        var lost: Set<Int> = []
        let capacity: Int
        /// How often a sender found its link full.
        var timesFull = 0

        init(ranks: Int, capacity: Int) {
            queues = Array(repeating: Array(repeating: [], count: ranks), count: ranks)
            self.capacity = capacity
        }

        func lose(_ rank: Int) {
            condition.withLock { _ = lost.insert(rank) }
            condition.broadcast()
        }
    }

    let rank: Int
    let worldSize: Int
    let wires: Wires
    /// Chooses the link that is read next, so that frames of different ranks arrive in many orders.
    private var state: UInt64
    /// Changes a frame before it is sent.
    var tamper: ((FrameHeader, [UInt8]) -> (FrameHeader, [UInt8]))?

    init(rank: Int, worldSize: Int, wires: Wires, seed: UInt64) {
        self.rank = rank
        self.worldSize = worldSize
        self.wires = wires
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(rank)
    }

    func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        precondition(peer != rank, "rank \(rank) sends to itself")
        var frame = Frame(header: header, bytes: unsafe payload.withUnsafeBytes { unsafe Array($0) })
        if let tamper {
            let (header, bytes) = tamper(frame.header, frame.bytes)
            frame = Frame(header: header, bytes: bytes)
        }
        try wait(deadline, [peer]) { () -> Void? in
            guard wires.queues[peer][rank].count < wires.capacity else {
                wires.timesFull += 1
                return nil
            }
            wires.queues[peer][rank].append(frame)
            return ()
        }
    }

    func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        return try wait(deadline, []) { () -> Frame? in
            let filled = (0..<worldSize).filter { !wires.queues[rank][$0].isEmpty }
            guard !filled.isEmpty else { return nil }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return wires.queues[rank][filled[Int(state >> 33) % filled.count]].removeFirst()
        }
    }

    private func wait<Result>(_ deadline: ContinuousClock.Instant, _ peers: [Int], _ attempt: () -> Result?)
        throws(MeshError) -> Result
    {
        wires.condition.lock()
        defer { wires.condition.unlock() }
        while true {
            if let lost = wires.lost.min() { throw .lost(rank: lost) }
            if let result = attempt() {
                wires.condition.broadcast()
                return result
            }
            let left = ContinuousClock.now.duration(to: deadline)
            let seconds = Double(left.components.seconds) + Double(left.components.attoseconds) * 1e-18
            guard seconds > 0 else { throw .deadline(waitingFor: peers) }
            _ = wires.condition.wait(until: Date(timeIntervalSinceNow: seconds))
        }
    }
}

/// Runs `body` once for each rank, each on its own thread, and returns the results.
func onRanks<Value: Sendable>(
    _ worldSize: Int, capacity: Int = 64, seed: UInt64 = 1, _ body: @escaping @Sendable (LocalMesh) throws -> Value
) -> [Result<Value, any Error>] {
    let wires = LocalMesh.Wires(ranks: worldSize, capacity: capacity)
    let results = Mutex([Int: Result<Value, any Error>]())
    let group = DispatchGroup()
    for rank in 0..<worldSize {
        group.enter()
        let thread = Thread {
            let mesh = LocalMesh(rank: rank, worldSize: worldSize, wires: wires, seed: seed)
            let result = Result { try body(mesh) }
            results.withLock { $0[rank] = result }
            group.leave()
        }
        thread.stackSize = 4 << 20
        thread.start()
    }
    group.wait()
    return results.withLock { results in (0..<worldSize).map { results[$0]! } }
}

extension ContinuousClock.Instant {
    /// Far enough that only a test that hangs gets there.
    static var farOff: ContinuousClock.Instant { .now + .seconds(60) }
}
