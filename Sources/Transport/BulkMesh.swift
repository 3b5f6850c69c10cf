/// A mesh whose workers exchange frames over bulk links, and frames of the coordinator over ZeroMQ's.
///
/// One TCP connection for each pair of workers, read and written by the mesh's thread itself. When `send` returns, the
/// kernel has the whole frame. Frames arrive in order for each peer.
package final class BulkMesh: Mesh {
    package var rank: Int { links.rank }
    package var worldSize: Int { links.worldSize }

    var places: [MeshPeer] { links.roster.peers }

    /// Links to the ranks that take no bulk links.
    private let links: ZeroMQMesh
    let canceller: MeshCanceller
    /// By rank.
    let bulk: [BulkLink?]
    private let peers: [Peer]
    /// The peer to read next: each has its turn.
    private var turn = 0
    private var inbox = FrameInbox<StreamedFrame>()
    private let silence: Duration

    private struct Peer {
        let rank: Int
        let link: BulkLink
        let pollIndex: Int
    }

    /// Pause between two looks for peers whose kernel has fallen silent.
    private static let pauseOfLooks = Duration.seconds(1)

    /// - Parameter silence: time after which a peer that acknowledges nothing counts as lost.
    init(_ links: ZeroMQMesh, bulk: [Int: BulkLink], silence: Duration) {
        self.links = links
        canceller = links.canceller
        self.silence = silence
        self.bulk = (0..<links.worldSize).map { bulk[$0] }
        peers = bulk.sorted { $0.key < $1.key }.map { rank, link in
            Peer(rank: rank, link: link, pollIndex: links.poller.add(link.descriptor))
        }
        links.aroundWaits = (
            before: { [unowned self] in watch(incoming: inbox.hasRoom, room: []) },
            after: { [unowned self] () throws(MeshError) in try takeIn() }
        )
    }

    package func send(_ header: FrameHeader, payload: RawSpan, to peer: Int, deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        try send(header, payload: payload, toEach: [peer], deadline: deadline)
    }

    /// All peers' frames are in flight at once.
    package func send(_ header: FrameHeader, payload: RawSpan, toEach targets: [Int], deadline: ContinuousClock.Instant)
        throws(MeshError)
    {
        guard !canceller.isCancelled else { throw .cancelled }
        let others = targets.filter { bulk[$0] == nil }
        if !others.isEmpty {
            defer { watch(incoming: true, room: []) }
            try links.send(header, payload: payload, toEach: others, deadline: deadline)
        }
        let direct = peers.filter { targets.contains($0.rank) }
        guard !direct.isEmpty else { return }
        precondition(
            payload.byteCount <= FrameStream.longestPayload,
            "a frame of \(payload.byteCount) bytes, \(FrameStream.longestPayload) at most")
        let head = FrameCodec.encode(streamed: header, payloadBytes: payload.byteCount)
        try unsafe payload.withUnsafeBytes { (bytes) throws(MeshError) in
            do throws(MeshError) {
                for peer in direct where unsafe !peer.link.put(head, bytes) { throw .lost(rank: peer.rank) }
                try flush(direct, deadline: deadline)
            } catch {
                // The payload is the caller's again.
                for peer in direct { peer.link.forget() }
                throw error
            }
        }
    }

    /// Waits until the kernel has everything, and receives frames meanwhile.
    private func flush(_ targets: [Peer], deadline: ContinuousClock.Instant) throws(MeshError) {
        var blocked = try stillBlocked(targets)
        while !blocked.isEmpty {
            watch(incoming: inbox.hasRoom, room: blocked)
            links.watchIncoming(false)
            defer {
                watch(incoming: true, room: [])
                links.watchIncoming(true)
            }
            guard try wait(until: deadline) else { throw .deadline(waitingFor: blocked.map(\.rank)) }
            try links.checkLinks()
            try takeIn()
            blocked = try stillBlocked(blocked)
        }
    }

    /// Takes in the frames of bulk links while there is room for them.
    private func takeIn() throws(MeshError) {
        noteReady()
        while inbox.hasRoom, let frame = try nextFrame() { inbox.append(frame) }
        // A failed connection ends every wait, even before the frames that it brought are read.
        if !inbox.hasRoom, let peer = peers.first(where: { links.poller.hasFailed($0.pollIndex) }) {
            throw .lost(rank: peer.rank)
        }
    }

    private func noteReady() {
        for peer in peers where links.poller.isReady(peer.pollIndex) { peer.link.mayRead = true }
    }

    private func stillBlocked(_ targets: [Peer]) throws(MeshError) -> [Peer] {
        var blocked: [Peer] = []
        for peer in targets {
            switch peer.link.flush() {
            case .done: continue
            case .blocked: blocked.append(peer)
            case .ended, .refused: throw .lost(rank: peer.rank)
            }
        }
        return blocked
    }

    private func watch(incoming: Bool, room: [Peer]) {
        for peer in peers {
            links.poller.watch(
                peer.pollIndex, incoming: incoming, room: room.contains { $0.rank == peer.rank })
        }
    }

    package func receive(deadline: ContinuousClock.Instant) throws(MeshError) -> any ReceivedFrame {
        while true {
            guard !canceller.isCancelled else { throw .cancelled }
            if let frame = inbox.popFirst() { return frame }
            if let frame = try nextFrame() { return frame }
            if let frame = try links.nextReceived() { return frame }
            try links.checkLinks()
            guard try wait(until: deadline) else { throw .deadline(waitingFor: []) }
        }
    }

    /// The next frame of a bulk link that is there already.
    /// - Throws: ``MeshError/lost(rank:)`` once everything that came before the end of a link was returned.
    private func nextFrame() throws(MeshError) -> StreamedFrame? {
        for offset in peers.indices {
            let place = (turn + offset) % peers.count
            let peer = peers[place]
            guard peer.link.mayRead, let frame = peer.link.read() else { continue }
            guard frame.header.sender == UInt16(peer.rank), frame.header.generation == links.roster.generation,
                frame.header.kind != LinkAdmission.helloKind
            else { throw .lost(rank: peer.rank) }
            turn = (place + 1) % peers.count
            return frame
        }
        if let peer = peers.first(where: \.link.hasEnded) { throw .lost(rank: peer.rank) }
        return nil
    }

    /// Waits for any link; false when the deadline passed.
    private func wait(until deadline: ContinuousClock.Instant) throws(MeshError) -> Bool {
        while true {
            let isReady = try links.wait(until: min(deadline, .now + Self.pauseOfLooks))
            if isReady {
                noteReady()
                return deadline > .now
            }
            for peer in peers where peer.link.isSilent(for: silence) { throw .lost(rank: peer.rank) }
            if deadline <= .now { return false }
        }
    }
}

extension MeshListener {
    /// Connects to every other rank and waits until all links are established: bulk links to the ranks that take them.
    ///
    /// - Parameters:
    ///   - bulk: what this rank's place in the roster names; nil if all links are ZeroMQ's.
    ///   - early: see ``begun(rank:roster:others:early:until:)``.
    /// - Throws: ``MeshError``; `deadline` names the ranks whose links are not established, `unreachable` those whose
    ///   addresses refuse them.
    package consuming func mesh(
        rank: Int, roster: MeshRoster, bulk: BulkListener?, early: Int = 0, deadline: ContinuousClock.Instant
    ) throws(MeshError) -> any Mesh {
        guard let bulk else { return try mesh(rank: rank, roster: roster, early: early, deadline: deadline) }
        let (canceller, refusals, silence) = (canceller, refusals, bulk.heartbeatTimeout * 2)
        let roster = try roster.numbered(for: rank, until: deadline, canceller)
        let direct = Set(roster.peers.indices.filter { $0 != rank && roster.peers[$0].bulk != nil })
        let forming = try BulkForming(
            bulk, rank: rank, roster: roster, peers: direct, canceller: canceller, refusals: refusals)
        let others = Set(roster.peers.indices).subtracting(direct)
        let links = try begun(rank: rank, roster: roster, others: others, early: early, until: deadline)
        do throws(MeshError) {
            try links.form(deadline: deadline)
            return BulkMesh(links, bulk: try forming.form(deadline: deadline), silence: silence)
        } catch {
            bulk.keep(links)
            throw error
        }
    }
}
