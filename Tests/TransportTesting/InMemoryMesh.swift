internal import Dispatch
internal import Synchronization
package import Transport

/// A mesh between the ranks of one process: same order, blocking and errors, without sockets.
///
/// A rank's mesh is still used by one thread; only ``close()`` and ``cancel()`` may be called from others.
package final class InMemoryMesh: Mesh, Sendable {
    package let rank: Int
    package var worldSize: Int { hub.worldSize }
    private let hub: Hub

    private init(rank: Int, hub: Hub) {
        self.rank = rank
        self.hub = hub
    }

    /// The meshes of `size` ranks; each link queues `capacity` frames before its sender waits.
    package static func world(size: Int, capacity: Int = 64) -> [InMemoryMesh] {
        let hub = Hub(worldSize: size, capacity: capacity)
        return (0..<size).map { InMemoryMesh(rank: $0, hub: hub) }
    }

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        precondition(
            peer != rank && (0..<worldSize).contains(peer),
            "rank \(rank) has no link to \(peer) in a world of \(worldSize)")
        let frame = unsafe InMemoryFrame(header: header, bytes: payload.withUnsafeBytes { unsafe Array($0) })
        let from = rank
        guard let result = hub.attempt(rank, deadline: deadline, { $0.send(frame, from: from, to: peer) }) else {
            throw .deadline(waitingFor: [peer])
        }
        try result.get()
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        let at = rank
        guard let result = hub.attempt(rank, deadline: deadline, { $0.receive(at: at) }) else {
            throw .deadline(waitingFor: [])
        }
        return try result.get()
    }

    /// Ends this rank's links, as if its process had ended.
    package func close() { hub.change { $0.closed.insert(rank) } }

    /// Makes this rank's calls throw ``MeshError/cancelled``.
    package func cancel() { hub.change { $0.cancelled.insert(rank) } }
}

struct InMemoryFrame: ReceivedFrame, Sendable {
    let header: FrameHeader
    let bytes: [UInt8]

    func withPayload<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try unsafe body(bytes.span.bytes)
    }
}

/// All queues of one world.
private final class Hub: Sendable {
    let worldSize: Int
    private let state: Mutex<Queues>
    private let bells: [DispatchSemaphore]

    init(worldSize: Int, capacity: Int) {
        self.worldSize = worldSize
        state = Mutex(Queues(arrivals: Array(repeating: [], count: worldSize), capacity: capacity))
        bells = (0..<worldSize).map { _ in DispatchSemaphore(value: 0) }
    }

    func change(_ body: (inout Queues) -> Void) {
        let waiting = state.withLock { queues in
            body(&queues)
            return queues.takeWaiting()
        }
        for rank in waiting { bells[rank].signal() }
    }

    /// Repeats `body` whenever something changed until it has a result; nil once `deadline` has passed.
    func attempt<Value: Sendable>(
        _ rank: Int, deadline: ContinuousClock.Instant, _ body: (inout Queues) -> Result<Value, MeshError>?
    ) -> Result<Value, MeshError>? {
        while true {
            let (result, waiting) = state.withLock { queues in
                let result = body(&queues)
                if result == nil { queues.waiting.insert(rank) }
                return (result, result == nil ? [] : queues.takeWaiting())
            }
            for rank in waiting { bells[rank].signal() }
            if let result { return result }
            let left = deadline - .now
            guard left > .zero else { return nil }
            _ = bells[rank].wait(timeout: .now() + .milliseconds(Int(left / .milliseconds(1))))
        }
    }
}

private struct Queues: Sendable {
    var arrivals: [[InMemoryFrame]]
    let capacity: Int
    var closed: Set<Int> = []
    var cancelled: Set<Int> = []
    /// Ranks to wake after a change.
    var waiting: Set<Int> = []

    mutating func takeWaiting() -> Set<Int> {
        defer { waiting = [] }
        return waiting
    }

    /// Nil if the link is full.
    mutating func send(_ frame: InMemoryFrame, from: Int, to peer: Int) -> Result<Void, MeshError>? {
        if cancelled.contains(from) { return .failure(.cancelled) }
        if closed.contains(peer) || closed.contains(from) { return .failure(.lost(rank: peer)) }
        guard arrivals[peer].count(where: { Int($0.header.sender) == from }) < capacity else { return nil }
        arrivals[peer].append(frame)
        return .success(())
    }

    /// Nil if nothing has arrived.
    mutating func receive(at rank: Int) -> Result<InMemoryFrame, MeshError>? {
        if cancelled.contains(rank) { return .failure(.cancelled) }
        if !arrivals[rank].isEmpty { return .success(arrivals[rank].removeFirst()) }
        return closed.min().map { .failure(.lost(rank: $0)) }
    }
}
