internal import Glibc

/// Establishes the bulk links of one rank: it dials lower ranks and accepts higher ones.
///
/// A link is established once each end has the other's hello, a frame that names the rank and contains the generation's
/// token. Under TLS the hello must come from the holder of that rank's certificate. Who accepts says hello second.
struct BulkForming: ~Copyable {
    /// Accepted connections that have not proven who they are: beyond these, each new one ends another.
    static let mostUnproven = 256
    /// Connections that are taken before links go on.
    private static let mostAtOnce = 64
    /// Pause before connections are taken again after the system had no descriptor left.
    private static let exhaustedPause = Duration.milliseconds(200)
    /// Time for an accepted connection to prove itself.
    static let patience = Duration.seconds(3)
    /// Pause before a rank is dialed again, growing to ``longestPause``.
    private static let firstPause = Duration.milliseconds(50)
    private static let longestPause = Duration.seconds(1)

    private let listener: BulkListener
    private let rank: Int
    private let roster: MeshRoster
    private let canceller: MeshCanceller
    private let refusals: RefusalCount
    private let hello: [UInt8]
    /// Ranks without a link.
    private var missing: Set<Int>
    private var links: [Int: BulkLink] = [:]
    private var attempts: [Attempt] = []
    private var dials: [Int: (next: ContinuousClock.Instant, pause: Duration)] = [:]
    private var refused = RefusedDials()
    private let crowding: Crowding
    private var acceptsAgain = ContinuousClock.now

    /// A connection that is not yet a link.
    private final class Attempt {
        enum Stage { case connecting, shaking, hearing }
        let link: BulkLink
        /// The rank that was dialed; nil for an accepted connection.
        let dialed: Int?
        /// The ranks that it may be, in the order of the certificates accepted.
        let candidates: [Int]
        /// Where an accepted connection comes from.
        let origin: String
        let limit: ContinuousClock.Instant
        var stage: Stage

        init(_ link: BulkLink, dialed: Int?, candidates: [Int], origin: String, limit: ContinuousClock.Instant) {
            self.link = link
            self.origin = origin
            self.dialed = dialed
            self.candidates = candidates
            self.limit = limit
            stage = dialed == nil ? .shaking : .connecting
        }
    }

    private enum Outcome { case waiting, established(Int), failed(isStranger: Bool), undialed(Int32) }

    /// - Parameter peers: the ranks to link with.
    /// - Throws: ``MeshError/socket(operation:code:)`` if a rank offers another kind of link than this process has: its
    ///   own keys decide, not the roster.
    init(
        _ listener: BulkListener, rank: Int, roster: MeshRoster, peers: Set<Int>, canceller: MeshCanceller,
        refusals: RefusalCount
    ) throws(MeshError) {
        let isEncrypted = listener.identity != nil
        for peer in peers.sorted() where (roster.peers[peer].bulk?.certificate != nil) != isEncrypted {
            throw .socket(
                operation: "rank \(peer) at \(roster.peers[peer].bulk?.endpoint ?? "?") links "
                    + "\(isEncrypted ? "in clear, and this process has keys" : "under TLS, and this one in clear")",
                code: EPROTO)
        }
        self.listener = listener
        self.rank = rank
        self.roster = roster
        self.canceller = canceller
        self.refusals = refusals
        missing = peers
        crowding = Crowding(
            expected: Set(
                peers.filter { $0 > rank }.compactMap {
                    roster.peers[$0].bulk.flatMap { TCPEndpoint($0.endpoint)?.address?.origin }
                }))
        hello = FrameCodec.encode(
            streamed: FrameHeader(
                kind: LinkAdmission.helloKind, sender: UInt16(rank), generation: roster.generation, step: 0, bucket: 0,
                offset: roster.token, count: 0), payloadBytes: 0)
        for peer in peers where peer < rank { dials[peer] = (.now, Self.firstPause) }
    }

    /// Returns when all links are established: afterwards the port is closed.
    /// - Throws: ``MeshError``; `deadline` names the ranks without a link, `unreachable` those that refuse one.
    consuming func form(deadline: ContinuousClock.Instant) throws(MeshError) -> [Int: BulkLink] {
        defer { listener.close() }
        while !missing.isEmpty {
            guard !canceller.isCancelled else { throw .cancelled }
            if let error = refused.end(at: .now)
                ?? (deadline > .now ? nil : .deadline(waitingFor: missing.sorted()))
            {
                listener.keep(links.values)
                throw error
            }
            dialWhoIsDue(deadline)
            let ready = try wait(until: deadline)
            takeConnections()
            // Attempts that were just made have no events yet, and may not need any.
            advance { ready.contains($0) || $1 == .shaking }
        }
        return links
    }

    private mutating func dialWhoIsDue(_ deadline: ContinuousClock.Instant) {
        for (peer, dial) in dials where dial.next <= .now {
            guard missing.contains(peer), !attempts.contains(where: { $0.dialed == peer }) else { continue }
            dials[peer] = (.now + dial.pause, min(dial.pause * 2, Self.longestPause))
            guard let target = roster.peers[peer].bulk.flatMap({ TCPEndpoint($0.endpoint)?.address }) else { continue }
            switch OpenDial(to: target) {
            case .begun(let opened): begin(opened, dialed: peer, candidates: [peer], limit: deadline)
            case .failed(let code): refused.failed(peer, code, at: .now)
            }
        }
    }

    /// Whether a higher rank may still come, and there was a descriptor for it.
    private var accepts: Bool { acceptsAgain <= .now && missing.contains { $0 > rank } }

    private mutating func takeConnections() {
        guard accepts else { return }
        let candidates = missing.filter { $0 > rank }.sorted()
        for _ in 0..<Self.mostAtOnce {
            switch listener.accept() {
            case .none: return
            case .connection(let opened):
                if attempts.count(where: { $0.dialed == nil }) >= Self.mostUnproven {
                    end(crowding.givesWay(unproven))
                }
                begin(
                    opened, dialed: nil, candidates: candidates, origin: SocketAddress(peerOf: opened)?.origin ?? "",
                    limit: .now + Self.patience)
            case .exhausted:
                // Its descriptor is for the connection that waits.
                guard let index = crowding.givesWayToAny(unproven) else {
                    acceptsAgain = .now + Self.exhaustedPause
                    return
                }
                end(index)
            }
        }
    }

    /// The accepted connections, oldest first.
    private var unproven: [Crowding.Connection] {
        attempts.filter { $0.dialed == nil }.map { .init(origin: $0.origin, hasAnswered: $0.link.hasAnswered) }
    }

    /// Ends an accepted connection.
    /// - Parameter index: of ``unproven``.
    private mutating func end(_ index: Int?) {
        guard let index else { return }
        attempts.remove(at: attempts.indices.filter { attempts[$0].dialed == nil }[index])
        refusals.count()
    }

    private mutating func begin(
        _ opened: Int32, dialed: Int?, candidates: [Int], origin: String = "", limit: ContinuousClock.Instant
    ) {
        listener.tune(opened)
        let accepted = candidates.compactMap { roster.peers[$0].bulk?.certificate }
        if let link = BulkLink(opened, identity: listener.identity, isServer: dialed == nil, accepted: accepted) {
            attempts.append(Attempt(link, dialed: dialed, candidates: candidates, origin: origin, limit: limit))
        }
    }

    /// Waits until something is ready, an attempt is over, or somebody is to be dialed.
    /// - Returns: the ready descriptors.
    private func wait(until deadline: ContinuousClock.Instant) throws(MeshError) -> Set<Int32> {
        var watched = [pollfd(fd: canceller.wakeup.descriptor, events: Int16(POLLIN), revents: 0)]
        if accepts {
            watched.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0))
        }
        for attempt in attempts {
            let events = attempt.stage == .connecting || attempt.link.hasOutput ? POLLIN | POLLOUT : POLLIN
            watched.append(pollfd(fd: attempt.link.descriptor, events: Int16(events), revents: 0))
        }
        let dialing = dials.filter { peer, _ in
            missing.contains(peer) && !attempts.contains { $0.dialed == peer }
        }
        let resting = acceptsAgain > .now ? [acceptsAgain] : []
        let next = (dialing.values.map(\.next) + attempts.map(\.limit) + resting + [deadline]).min() ?? deadline
        let found = unsafe poll(&watched, nfds_t(watched.count), max(next - .now, .zero).milliseconds)
        guard found >= 0 || errno == EINTR else { throw .socket(operation: "waiting for bulk links", code: errno) }
        return found > 0 ? Set(watched.filter { $0.revents != 0 }.map(\.fd)) : []
    }

    private mutating func advance(where isReady: (Int32, Attempt.Stage) -> Bool) {
        var rest: [Attempt] = []
        for attempt in attempts {
            let outcome = isReady(attempt.link.descriptor, attempt.stage) ? advance(attempt) : .waiting
            switch outcome {
            case .waiting where attempt.limit > .now: rest.append(attempt)
            case .waiting: if attempt.dialed == nil { refusals.count() }
            case .established(let peer):
                // The first connection that proves a rank has it.
                if missing.remove(peer) != nil { links[peer] = attempt.link }
            case .failed(let isStranger): if isStranger, attempt.dialed == nil { refusals.count() }
            case .undialed(let code): if let peer = attempt.dialed { refused.failed(peer, code, at: .now) }
            }
        }
        attempts = rest
    }

    private mutating func advance(_ attempt: Attempt) -> Outcome {
        let link = attempt.link
        if attempt.stage == .connecting {
            switch OpenDial.outcome(of: link.descriptor) {
            case nil: return .waiting
            case 0?: attempt.stage = .shaking
            case let code?: return .undialed(code)
            }
            if let peer = attempt.dialed { refused.reached(peer) }
        }
        if attempt.stage == .shaking {
            switch link.handshake() {
            case .blocked: return .waiting
            case .ended: return .failed(isStranger: false)
            case .refused: return .failed(isStranger: true)
            case .done:
                if attempt.dialed != nil, !sayHello(link) { return .failed(isStranger: false) }
                attempt.stage = .hearing
            }
        }
        if link.flush() == .ended { return .failed(isStranger: false) }
        guard let frame = link.read(limit: 0) else {
            return link.hasEnded ? .failed(isStranger: link.isForeign) : .waiting
        }
        guard let peer = sender(of: frame.header, attempt) else { return .failed(isStranger: true) }
        if attempt.dialed == nil, !sayHello(link) { return .failed(isStranger: false) }
        link.mayRead = true
        return .established(peer)
    }

    /// A new connection has room for these few bytes.
    private func sayHello(_ link: BulkLink) -> Bool {
        unsafe link.put(hello, UnsafeRawBufferPointer(start: nil, count: 0)) && link.flush() == .done
    }

    private func sender(of header: FrameHeader, _ attempt: Attempt) -> Int? {
        let peer = Int(header.sender)
        guard header.kind == LinkAdmission.helloKind, header.generation == roster.generation,
            header.offset == roster.token, let place = attempt.candidates.firstIndex(of: peer), missing.contains(peer)
        else { return nil }
        return listener.identity == nil || attempt.link.peer == place ? peer : nil
    }
}
