internal import Tensors
package import Transport

/// One rank's links as seen by exchanges: frames are requested by kind, and counted.
///
/// Ranks that are ahead send frames of the next phase or exchange; those wait here until requested. Used by one thread
/// at a time, as its mesh. After an error it is unusable, like its mesh.
package final class ExchangeLinks {
    package let mesh: any Mesh
    package let generation: UInt32
    package private(set) var counters = ExchangeCounters()
    private var waiting = WaitingFrames()
    /// Returns when this rank's computing ended, nil before: waiting for frames until then costs nothing. Nil if it
    /// ended before the exchange began.
    var computed: (() -> ContinuousClock.Instant?)?

    package init(mesh: any Mesh, generation: UInt32) {
        self.mesh = mesh
        self.generation = generation
    }

    package var rank: Int { mesh.rank }
    package var worldSize: Int { mesh.worldSize }

    package func send(
        _ kind: ExchangeKind, _ id: ExchangeID, offset: Int = 0, count: Int = 0, payload: RawSpan, to peer: Int,
        deadline: ContinuousClock.Instant
    ) throws(ExchangeError) {
        try send(kind, id, offset: offset, count: count, payload: payload, toEach: [peer], deadline: deadline)
    }

    /// Sends one frame to each of `peers`.
    package func send(
        _ kind: ExchangeKind, _ id: ExchangeID, offset: Int = 0, count: Int = 0, payload: RawSpan, toEach peers: [Int],
        deadline: ContinuousClock.Instant
    ) throws(ExchangeError) {
        let header = header(kind, id, offset: offset, count: count)
        let isAhead = isAhead
        do { try mesh.send(header, payload: payload, toEach: peers, deadline: deadline) } catch { throw .mesh(error) }
        self.count(sent: payload.byteCount, toEach: peers, isAhead: isAhead)
    }

    /// Sends one frame to each of `peers`, from memory that is not written until all of them have received it or the
    /// generation is over.
    func send(
        _ kind: ExchangeKind, _ id: ExchangeID, offset: Int, lending values: FloatView, toEach peers: [Int],
        deadline: ContinuousClock.Instant
    ) throws(ExchangeError) {
        let header = header(kind, id, offset: offset, count: values.count)
        let payload = unsafe LentBytes(
            UnsafeRawBufferPointer(UnsafeBufferPointer(start: values.base, count: values.count)), of: values.owner)
        let isAhead = isAhead
        do { try mesh.send(header, lending: payload, toEach: peers, deadline: deadline) } catch { throw .mesh(error) }
        count(sent: payload.count, toEach: peers, isAhead: isAhead)
    }

    private func header(_ kind: ExchangeKind, _ id: ExchangeID, offset: Int, count: Int) -> FrameHeader {
        FrameHeader(
            kind: kind.rawValue, sender: UInt16(mesh.rank), generation: generation, step: id.step, bucket: id.bucket,
            offset: UInt64(offset),
            count: UInt64(count))
    }

    /// Whether this rank is still computing.
    private var isAhead: Bool { computed.map { $0() == nil } ?? false }

    private func count(sent bytes: Int, toEach peers: [Int], isAhead: Bool) {
        counters.framesSent += peers.count
        counters.bytesSent += peers.count * bytes
        if isAhead { counters.bytesAhead += peers.count * bytes }
    }

    /// Counts bytes read from other ranks' memory.
    func countShared(_ bytes: Int) { counters.bytesShared += bytes }

    /// Sends a frame without payload to each of `peers`.
    package func signal(_ kind: ExchangeKind, _ id: ExchangeID, to peers: [Int], deadline: ContinuousClock.Instant)
        throws(ExchangeError)
    {
        let nothing: [UInt8] = []
        try unsafe send(kind, id, payload: nothing.span.bytes, toEach: peers, deadline: deadline)
    }

    /// The next frame of exchange `id` of one of `kinds`, in order for each sender.
    ///
    /// - Parameter expected: the ranks that can send it; named if the deadline passes.
    package func receive(
        _ kinds: Set<ExchangeKind>, _ id: ExchangeID, from expected: some Sequence<Int>,
        deadline: ContinuousClock.Instant
    ) throws(ExchangeError) -> any ReceivedFrame {
        try receive(waitingFor: { expected.sorted() }, step: id.step, deadline: deadline) { kind, bucket in
            bucket == id.bucket && kinds.contains(kind)
        }
    }

    /// The next frame of step `step` that `fits`, in order for each sender.
    ///
    /// - Parameter waitingFor: the ranks that can send it; named if the deadline passes.
    func receive(
        waitingFor: () -> [Int], step: UInt64, deadline: ContinuousClock.Instant,
        _ fits: (_ kind: ExchangeKind, _ bucket: UInt32) -> Bool
    ) throws(ExchangeError) -> any ReceivedFrame {
        func isWanted(_ header: FrameHeader) -> Bool {
            guard header.step == step, let kind = ExchangeKind(rawValue: header.kind) else { return false }
            return fits(kind, header.bucket)
        }
        if let frame = waiting.take(where: isWanted) { return frame }
        let start = ContinuousClock.now
        defer { countWaiting(since: start) }
        while true {
            let frame: any ReceivedFrame
            do { frame = try mesh.receive(deadline: deadline) } catch {
                guard case .deadline = error else { throw .mesh(error) }
                throw .mesh(.deadline(waitingFor: waitingFor()))
            }
            let header = frame.header
            guard header.generation == generation else { continue }
            counters.framesReceived += 1
            counters.bytesReceived += frame.withPayload { $0.byteCount }
            if isWanted(header) { return frame }
            do { try waiting.append(frame) } catch { throw .mesh(error) }
        }
    }

    private func countWaiting(since start: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        guard let computed else { return counters.waiting += now - start }
        if let computed = computed() { counters.waiting += now - max(start, computed) }
    }

    /// Receives one signal from each of `peers`.
    package func await(_ kind: ExchangeKind, _ id: ExchangeID, from peers: [Int], deadline: ContinuousClock.Instant)
        throws(ExchangeError)
    {
        var missing = Set(peers)
        while !missing.isEmpty {
            let header = try receive([kind], id, from: missing, deadline: deadline).header
            guard missing.remove(Int(header.sender)) != nil else {
                throw .unexpected(
                    rank: Int(header.sender), found: "the signal \(kind) again or unrequested",
                    needed: "it once from ranks \(peers)")
            }
        }
    }
}

/// Payload bytes that a rank's exchanges have moved so far.
package struct ExchangeCounters: Sendable, Equatable {
    package var framesSent = 0
    package var bytesSent = 0
    /// Of those, sent while this rank was still computing.
    package var bytesAhead = 0
    package var framesReceived = 0
    package var bytesReceived = 0
    /// Read from the memory of other ranks of the same host.
    package var bytesShared = 0
    /// Time spent in waiting for frames after this rank's computing had ended.
    package var waiting: Duration = .zero
}
