/// Direct links between all ranks of one generation.
///
/// Each rank receives at one socket and sends through one socket per peer, so that a full queue to one peer blocks
/// nothing else. At most 32 frames per direction and peer wait in each process, in addition to the kernel's buffers.
/// Frames arrive in order for each peer. Close a mesh once every rank has received everything: the end of a link ends
/// the generation on the other side.
package final class ZeroMQMesh: Mesh {
    package let rank: Int
    package var worldSize: Int { roster.peers.count }
    /// Ends the mesh from another thread.
    package let canceller: MeshCanceller
    /// Number of dropped frames: from other generations, from strangers, or malformed.
    package private(set) var refusedFrames = 0
    private let refusals: RefusalCount

    let roster: MeshRoster
    private let incoming: Socket
    /// The monitor of `incoming`.
    private let monitor: SocketMonitor
    private let outgoing: [OutgoingLink?]
    let poller = Poller()
    private var admission: LinkAdmission
    /// Frames that arrived while the links formed, or while a send waited for room.
    private var inbox: FrameInbox<ZeroMQFrame>
    /// What a mesh that this one is a part of does before and after each wait for room: ``poller`` has its links, too.
    var aroundWaits: (before: () -> Void, after: () throws(MeshError) -> Void)?

    /// - Parameters:
    ///   - others: the ranks to link with; nil for all.
    ///   - early: bytes that a rank with all its links may send before this one has all of its own.
    init(
        _ listener: consuming MeshListener, rank: Int, roster: MeshRoster, others: Set<Int>? = nil, early: Int = 0
    ) throws(ZeroMQError) {
        precondition(roster.peers.indices.contains(rank), "rank \(rank) is not in a world of \(roster.peers.count)")
        self.rank = rank
        self.roster = roster
        inbox = FrameInbox(more: early)
        canceller = listener.canceller
        admission = LinkAdmission(roster: roster, rank: rank)
        var links: [OutgoingLink?] = []
        for (peer, place) in roster.peers.enumerated() {
            links.append(
                peer == rank || others?.contains(peer) == false
                    ? nil : try OutgoingLink(to: place, rank: peer, keys: listener.keys, in: listener.context))
        }
        outgoing = links
        incoming = listener.socket
        monitor = listener.monitor
        refusals = listener.refusals
        poller.add(incoming)
        poller.add(canceller.wakeup)
        for link in links { link?.join(poller) }
    }

    // MARK: Forming

    /// Sends a hello to every rank and waits for theirs.
    ///
    /// Frames of ranks that are ready earlier are kept: the hellos of others come behind them. So there is a limit,
    /// beyond which a rank sends what it should not.
    /// - Throws: ``MeshError``; `flooded` names the rank whose frame was one too many.
    package func form(deadline: ContinuousClock.Instant) throws(MeshError) {
        let hello = admission.hello
        var refused = RefusedDials()
        for link in outgoing { try link?.sendHello(hello) }
        while true {
            guard !canceller.isCancelled else { throw .cancelled }
            // One frame per turn: a rank whose links are already established may send as fast as this one reads.
            let frame = try nextFrame()
            if let frame {
                guard inbox.hasRoom else { throw .flooded(rank: Int(frame.header.sender)) }
                inbox.append(frame)
            }
            try checkLinks()
            let missing = roster.peers.indices.filter {
                guard let link = outgoing[$0] else { return false }
                return !(admission.hasAdmitted($0) && link.stands)
            }
            guard !missing.isEmpty else { return monitor.shutDoor() }
            let isProbing = probe(&refused)
            if let error = refused.end(at: .now) { throw error }
            if frame == nil { _ = try wait(until: isProbing ? min(deadline, .now + ReachProbe.pause) : deadline) }
            guard deadline > .now else { throw .deadline(waitingFor: missing) }
        }
    }

    /// Looks at the ports that were not reached yet.
    /// - Returns: whether there are such ports.
    private func probe(_ refused: inout RefusedDials) -> Bool {
        var isProbing = false
        for case let link? in outgoing {
            guard let probe = link.probe else {
                refused.reached(link.rank)
                continue
            }
            isProbing = true
            switch probe.look(at: .now) {
            case 0?: refused.reached(link.rank)
            case let code?: refused.failed(link.rank, code, at: .now)
            case nil: break
            }
        }
        return isProbing
    }

    // MARK: Exchange

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try send(header, payload: payload, toEach: [peer], deadline: deadline)
    }

    package func send(_ header: FrameHeader, payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        guard payload.byteCount <= SocketOptions.longestPart else {
            return try sendInParts(header, payload, toEach: peers, deadline: deadline)
        }
        let message = Message(header, payload: payload)
        for peer in peers { try send(Message(sharing: message), to: peer, deadline: deadline) }
    }

    package func send(
        _ header: FrameHeader, lending payload: LentBytes, toEach peers: [Int], deadline: ContinuousClock.Instant
    ) throws(MeshError) {
        // Encryption writes into its own buffer anyway, and small payloads are faster to copy than to lend. Payloads
        // longer than an exchange's are rare.
        guard (Self.leastLent...SocketOptions.longestPart).contains(payload.count) else {
            return try unsafe send(header, payload: payload.bytes.bytes, toEach: peers, deadline: deadline)
        }
        let head = FrameCodec.encode(header, payloadBytes: payload.count)
        let message = Message(lending: payload)
        for peer in peers {
            try send(to: peer, deadline: deadline) { (link) throws(MeshError) in
                try link.send(head, Message(sharing: message))
            }
        }
    }

    /// Payloads of fewer bytes are copied into one message with their header.
    private static let leastLent = 16 << 10

    private func send(_ message: consuming Message, to peer: Int, deadline: ContinuousClock.Instant) throws(MeshError) {
        let message = message
        try send(to: peer, deadline: deadline) { (link) throws(MeshError) in try link.send(message) }
    }

    private func sendInParts(
        _ header: FrameHeader, _ payload: RawSpan, toEach peers: [Int], deadline: ContinuousClock.Instant
    ) throws(MeshError) {
        precondition(
            payload.byteCount <= FrameStream.longestPayload,
            "a frame of \(payload.byteCount) bytes, \(FrameStream.longestPayload) at most")
        let head = FrameCodec.encode(header, payloadBytes: payload.byteCount)
        for peer in peers {
            try send(to: peer, deadline: deadline) { (link) throws(MeshError) in
                try link.send(head, payloadBytes: payload.byteCount) { Message(copying: payload.extracting($0)) }
            }
        }
    }

    /// Waits until `attempt` succeeds on the link to `peer`, and receives frames meanwhile.
    private func send(
        to peer: Int, deadline: ContinuousClock.Instant, _ attempt: (OutgoingLink) throws(MeshError) -> Bool
    ) throws(MeshError) {
        guard roster.peers.indices.contains(peer), let link = outgoing[peer] else {
            preconditionFailure("rank \(rank) has no link to \(peer) in a world of \(worldSize)")
        }
        guard !canceller.isCancelled else { throw .cancelled }
        while try !attempt(link) {
            link.watchForRoom(true, poller)
            defer { link.watchForRoom(false, poller) }
            poller.watch(0, incoming: inbox.hasRoom, room: false)
            defer { poller.watch(0, incoming: true, room: false) }
            aroundWaits?.before()
            guard try wait(until: deadline) else { throw .deadline(waitingFor: [peer]) }
            try aroundWaits?.after()
            try checkLinks()
            while inbox.hasRoom, let frame = try nextFrame() { inbox.append(frame) }
        }
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        while true {
            guard !canceller.isCancelled else { throw .cancelled }
            if let frame = try nextReceived() { return frame }
            try checkLinks()
            guard try wait(until: deadline), deadline > .now else { throw .deadline(waitingFor: []) }
        }
    }

    /// The next frame that is there already, oldest first.
    func nextReceived() throws(MeshError) -> ZeroMQFrame? {
        if let frame = inbox.popFirst() { return frame }
        return try nextFrame()
    }

    /// The next acceptable frame of the socket.
    private func nextFrame() throws(MeshError) -> ZeroMQFrame? {
        do throws(ZeroMQError) {
            // Bounded, so that a flood of strangers keeps no deadline from being noticed.
            for _ in 0..<256 {
                guard let connection = try incoming.receive() else { return nil }
                guard connection.hasMore, let message = try incoming.receive() else { continue }
                if message.hasMore {
                    if let payload = try wholePayload(),
                        case .frame(let header) = admission.judge(message, part: payload.byteCount, from: connection)
                    {
                        return ZeroMQFrame(header: header, message: payload, isPayload: true)
                    }
                } else {
                    switch admission.judge(message, from: connection) {
                    case .frame(let header): return ZeroMQFrame(header: header, message: message)
                    case .hello:
                        try drainMonitor()
                        monitor.proven(message.descriptor)
                        continue
                    case .refused: break
                    }
                }
                refusedFrames += 1
                refusals.count()
            }
            return nil
        } catch {
            throw MeshError(error)
        }
    }

    /// The payload that follows a header; one that came in several parts is copied together.
    private func wholePayload() throws(ZeroMQError) -> Message? {
        guard let first = try incoming.receive() else { return nil }
        guard first.hasMore else { return first }
        return try incoming.gather(first, limit: FrameStream.longestPayload).map { Message(copying: $0) }
    }

    // MARK: Waiting

    /// Whether incoming messages end a wait.
    func watchIncoming(_ isWatched: Bool) { poller.watch(0, incoming: isWatched, room: false) }

    /// Waits for any socket; false when the deadline passed.
    func wait(until deadline: ContinuousClock.Instant) throws(MeshError) -> Bool {
        let woken: Bool
        do throws(ZeroMQError) { woken = try poller.wait(until: deadline) } catch { throw MeshError(error) }
        guard !canceller.isCancelled else { throw .cancelled }
        return woken
    }

    private func drainMonitor() throws(ZeroMQError) {
        while let event = try monitor.next() {
            if [.refused, .expectsAnotherKey, .differsInKeys, .ownKeyRefused].contains(event) { refusals.count() }
        }
    }

    func checkLinks() throws(MeshError) {
        do throws(ZeroMQError) { try drainMonitor() } catch { throw MeshError(error) }
        for link in outgoing {
            if let link, try link.isLost() { throw .lost(rank: link.rank) }
        }
    }
}
