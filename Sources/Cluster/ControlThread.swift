internal import Distributed
internal import Logging
internal import Tracing
internal import Transport

/// The loop that owns the control plane's socket: sends, receives, and checks deadlines.
///
/// Only the poll blocks. A message that finds a full queue is dropped: calls are sent again, answers are repeated
/// when their call comes again, heartbeats follow.
final class ControlThread {
    private let state: ControlState
    private let socket: Socket
    private let monitor: SocketMonitor
    private let poller = Poller()
    /// Most bytes of an envelope in addition to its payload.
    private static let roomForNames = 64 << 10
    /// Index in the poller, after the socket.
    private static let places = (monitor: 1, wakeup: 2)
    /// Whether the monitor may have events.
    private var isMonitorReady = true
    private var peers = PeerTable()
    private var detector: FailureDetector
    private var answered: [String: AnsweredCalls] = [:]
    /// Whether a worker's connection to the coordinator is established.
    private var isConnected = false
    private var superseded: Set<UInt64> = []
    private var nextBeat = ContinuousClock.now
    /// How much a heartbeat may be early.
    private let early: Duration
    /// The time of the last message to each process: any message counts as a heartbeat.
    private var lastSent: [String: ContinuousClock.Instant] = [:]
    private var lastTurn = ContinuousClock.now
    private let coordinator = "coordinator"
    /// How long a shutdown waits for answers to calls that arrived before it.
    static let farewell = Duration.seconds(1)
    /// How long a coordinator stays after an answer: its process may exit next, and ZeroMQ's thread must still send it.
    private static let delivery = Duration.milliseconds(500)
    /// When the last answer was passed to ZeroMQ.
    private var lastAnswer: ContinuousClock.Instant?
    /// Deadline of a shutdown; nil if none was requested.
    private var endsAt: ContinuousClock.Instant?
    /// Whether a refusal by the coordinator's end was reported since the last connection.
    private var saysRefused = false
    /// Why the coordinator's end refuses the newest connection, if that is known.
    private var refusal: CoordinatorContact.Refusal?
    private let endpoint: String
    /// When to connect again, after libzmq gave up: the key may be on the list then.
    private var connectsAt: ContinuousClock.Instant?
    private static let pause = Duration.seconds(1)

    /// Takes over `socket`, bound at or connected to `endpoint`, with its monitor.
    init(_ state: ControlState, socket: consuming Socket, monitor: consuming SocketMonitor, at endpoint: String) {
        self.state = state
        self.endpoint = endpoint
        self.socket = socket
        self.monitor = monitor
        detector = FailureDetector(lossAfter: state.options.lossAfter)
        early = detector.interval / 2
        poller.add(self.socket)
        poller.add(self.monitor.socket)
        poller.add(state.wakeup)
    }

    /// Runs until the state says stop.
    func run() {
        state.threadBegins()
        do {
            while try turn() {}
        } catch {
            // The socket itself failed: waiting callers learn that the system has ended.
        }
        state.threadEnds()
    }

    private func turn() throws(ZeroMQError) -> Bool {
        let now = ContinuousClock.now
        // A turn lasts no longer than the interval between signs of life, unless the whole process was suspended.
        let pause = now - lastTurn
        if pause > detector.suspension { state.withShared { $0.calls.postpone(by: pause) } }
        lastTurn = now
        state.runJobs()
        for call in state.takeEarly() { state.begin(call) }
        let (orders, isStopping, dueCall) = state.withShared { shared in
            defer { shared.orders = [] }
            return (shared.orders, shared.isStopping, shared.calls.nextInstant)
        }
        for order in orders { try carryOut(order) }
        if isStopping {
            let end = endsAt ?? now + Self.farewell
            endsAt = end
            if now >= end || state.withShared({ $0.unanswered == 0 }) && (deliversUntil ?? now) <= now { return false }
        }
        if let dueCall, dueCall <= now { try callsAreDue(at: now) }
        if let due = connectsAt, due <= now {
            connectsAt = nil
            try socket.reconnect(endpoint)
        }
        // Preferably together with other work.
        if nextBeat <= now || !orders.isEmpty && nextBeat <= now + early { try beat(at: now) }
        // Sending may have received messages.
        let isEmpty = try receiveAll()
        if isMonitorReady { try watchConnections() }
        isMonitorReady = false
        // Work created in this turn needs no wake-up.
        let (isIdle, nextCall) = state.withShared { ($0.isIdle, $0.calls.nextInstant) }
        guard isEmpty, isIdle else { return true }
        let stays = isStopping ? deliversUntil.flatMap { $0 > now ? $0 : nil } : nil
        try poller.waitForNews(
            until: min(nextBeat, nextCall.map { max($0, now) } ?? nextBeat, endsAt ?? nextBeat, stays ?? nextBeat))
        if poller.isReady(Self.places.wakeup) { state.wakeup.clear() }
        isMonitorReady = poller.isReady(Self.places.monitor)
        return true
    }

    private var deliversUntil: ContinuousClock.Instant? {
        state.isCoordinator ? lastAnswer.map { $0 + Self.delivery } : nil
    }

    // MARK: Sending

    private func carryOut(_ order: ControlState.Order) throws(ZeroMQError) {
        switch order {
        case .send(let bytes, let process):
            try send(bytes, to: process)
        case .answer(let call, let incarnation, let process, let bytes):
            let current = state.withShared { shared in
                shared.unanswered -= 1
                return shared.incarnation
            }
            // Each incarnation of a coordinator numbers its calls from 1: an answer to an ended one would answer
            // another's call.
            guard state.isCoordinator || incarnation == current else { return }
            answered[process, default: AnsweredCalls()].answered(call, with: bytes)
            try send(bytes, to: process)
            lastAnswer = .now
        }
    }

    private func send(_ bytes: [UInt8], to process: String) throws(ZeroMQError) {
        if state.isCoordinator {
            guard let peer = peers[process], try socket.send(peer.connection, more: true) else { return }
        }
        if try socket.sendInParts(bytes) { lastSent[process] = .now }
    }

    private func callsAreDue(at now: ContinuousClock.Instant) throws(ZeroMQError) {
        let (late, again) = state.withShared { shared in
            (shared.calls.settleAll { $0.deadline <= now }, shared.calls.due(at: now))
        }
        for call in again {
            Trace.control?.trace("call sent again", metadata: ["target": "\(call.target)", "to": "\(call.process)"])
        }
        for call in late {
            Trace.control?.debug("call is late", metadata: ["target": "\(call.target)", "to": "\(call.process)"])
            call.continuation.resume(
                throwing: ClusterError.deadline(call: call.target, process: call.process))
        }
        for call in again { try send(call.envelope, to: call.process) }
    }

    /// Sends heartbeats, and finds silent processes.
    private func beat(at now: ContinuousClock.Instant) throws(ZeroMQError) {
        for process in detector.check(at: now) { lose(process) }
        if let allowList = state.options.allowList {
            for (process, peer) in peers.peers where peer.key.map({ !allowList.contains($0) }) ?? true { lose(process) }
        }
        let latest = now - detector.interval
        let silent = (state.isCoordinator ? Array(peers.peers.keys) : [coordinator]).filter {
            lastSent[$0].map { $0 <= latest } ?? true
        }
        if !silent.isEmpty {
            let bytes = state.withShared { state.envelope(.heartbeat, in: $0).bytes }
            for process in silent { try send(bytes, to: process) }
        }
        if state.isCoordinator, !FreeDescriptors.areThere { state.options.lacksDescriptors() }
        nextBeat = now + detector.interval
    }

    // MARK: Receiving

    /// - Returns: whether nothing is left.
    private func receiveAll() throws(ZeroMQError) -> Bool {
        // Bounded, so that a flood does not prevent sending.
        for _ in 0..<256 {
            guard let first = try socket.receive() else { return true }
            guard state.isCoordinator else {
                try accept(first, connection: [])
                continue
            }
            guard first.hasMore, let body = try socket.receive() else { continue }
            try accept(body, connection: first.copy())
        }
        return false
    }

    private func accept(_ message: borrowing Message, connection: [UInt8]) throws(ZeroMQError) {
        let longest = state.options.largestCall + Self.roomForNames
        guard let bytes = try socket.gather(message, limit: longest), let envelope = try? Envelope(bytes) else {
            return refuse()
        }
        // Disconnects that happened before this message must be seen before its descriptor is noted.
        if state.isCoordinator, !peers.knows(envelope.sender, through: connection, descriptor: message.descriptor) {
            try watchConnections()
        }
        let key = message.senderKey
        if state.isCoordinator {
            if let allowList = state.options.allowList, !(key.map(allowList.contains) ?? false) { return refuse() }
            guard envelope.sender != state.process else { return refuse() }
        } else {
            guard envelope.sender == coordinator, envelope.incarnation != 0 else { return refuse() }
            // From an incarnation that has ended: late, but not from a stranger.
            guard adopt(envelope.incarnation) else { return }
        }
        guard peers.heard(envelope.sender, through: connection, descriptor: message.descriptor, key: key) else {
            return refuse()
        }
        monitor.proven(message.descriptor)
        if detector.heard(envelope.sender, at: .now) { found(envelope.sender) }
        switch envelope.kind {
        case .heartbeat: break
        case .call: arrived(envelope)
        case .result, .failure: answeredHere(envelope)
        }
    }

    private func refuse() {
        state.withShared { $0.refused += 1 }
        Trace.control?.debug("message or connection refused")
    }

    /// Follows the coordinator's incarnation; false for messages of one that has ended.
    private func adopt(_ incarnation: UInt64) -> Bool {
        guard !superseded.contains(incarnation) else { return false }
        let former = state.withShared { shared in
            defer { shared.incarnation = incarnation }
            return shared.incarnation
        }
        if former != incarnation, former != 0 {
            superseded.insert(former)
            answered[coordinator] = nil
            Trace.control?.info("the coordinator was restarted")
            state.eventsEnd.yield(.coordinatorChanged(incarnation: incarnation))
        }
        return true
    }

    private func arrived(_ envelope: Envelope) {
        let decision = answered[envelope.sender, default: AnsweredCalls()].arrived(
            envelope.call, settledBelow: envelope.settledBelow)
        trace("call arrived", envelope, target: envelope.target, "\(decision.name)")
        if decision == .execute || decision == .refuse { state.withShared { $0.unanswered += 1 } }
        switch decision {
        case .ignore:
            break
        case .repeatAnswer(let bytes):
            state.withShared { $0.orders.append(.send(bytes, to: envelope.sender)) }
        case .refuse:
            state.answer(
                .init(caller: envelope.sender, envelope: envelope), .failure,
                Wire.encode(failure: ClusterError.busy(limit: AnsweredCalls.limit)))
        case .execute:
            let call = ControlState.Incoming(caller: envelope.sender, envelope: envelope)
            if let stale = staleness(of: envelope) {
                state.answer(call, .failure, Wire.encode(failure: stale))
            } else {
                state.begin(call)
            }
        }
    }

    private func trace(
        _ what: Logger.Message, _ envelope: Envelope, target: @autoclosure () -> String,
        _ outcome: @autoclosure () -> String
    ) {
        Trace.control?.trace(
            what,
            metadata: [
                "target": "\(target())", "call": "\(envelope.call)", "from": "\(envelope.sender)",
                "generation": "\(envelope.generation)", "bytes": "\(envelope.payload.count)", "outcome": "\(outcome())",
            ])
    }

    /// Why a call is stale, if it is; newcomers, who know no generation yet, may call.
    private func staleness(of envelope: Envelope) -> ClusterError? {
        let (generation, incarnation) = state.withShared { ($0.generation, $0.incarnation) }
        if envelope.incarnation != 0, envelope.incarnation != incarnation {
            return .staleIncarnation(received: envelope.incarnation, current: incarnation)
        }
        if envelope.generation != 0, envelope.generation < generation {
            return .staleGeneration(received: envelope.generation, current: generation)
        }
        return nil
    }

    private func answeredHere(_ envelope: Envelope) {
        let call = state.withShared { shared in
            shared.calls.isWaiting(envelope.call, for: envelope.sender) ? shared.calls.settle(envelope.call) : nil
        }
        trace("answer arrived", envelope, target: call?.target ?? "none that waits", "\(envelope.kind)")
        guard let call else { return }
        if envelope.kind == .result {
            call.continuation.resume(returning: envelope.payload)
        } else {
            call.continuation.resume(throwing: Wire.decode(failure: envelope.payload, known: state.options.knownErrors))
        }
    }

    // MARK: Connections

    private func watchConnections() throws(ZeroMQError) {
        while let event = try monitor.next() {
            switch event {
            case .connected:
                isConnected = true
                saysRefused = false
                connectsAt = nil
                if !state.isCoordinator {
                    state.withShared { $0.contact = .connected }
                    greet()
                }
            case .disconnected(let descriptor):
                let process = state.isCoordinator ? peers.process(at: descriptor) : isConnected ? coordinator : nil
                if isConnected { state.withShared { $0.contact = .none } }
                isConnected = false
                if let process { lose(process) } else if !state.isCoordinator { endedBeforeHandshake() }
            case .refused:
                refuse()
            case .expectsAnotherKey:
                refuse()
                state.options.expectsAnotherKey()
            case .differsInKeys:
                refuse()
                state.options.differsInKeys()
                noteRefusal(.differsInKeys)
            case .ownKeyRefused:
                refuse()
                noteRefusal(.ownKey)
                connectsAt = .now + Self.pause
            case .reached:
                refusal = nil
            }
        }
    }

    /// Sends a heartbeat at once, and the calls made while there was no connection.
    private func greet() {
        (nextBeat, lastSent[coordinator]) = (.now, nil)
        state.withShared { $0.calls.resendAll(to: coordinator, at: .now) }
    }

    /// Why the coordinator's end refuses this worker, before or after the connection's end.
    private func noteRefusal(_ reason: CoordinatorContact.Refusal) {
        guard !state.isCoordinator else { return }
        refusal = reason
        state.withShared { $0.contact = .refused(reason) }
    }

    /// A connection of this process to the coordinator that ended before it was established.
    private func endedBeforeHandshake() {
        state.withShared { $0.contact = .refused(refusal ?? .otherKey) }
        guard !saysRefused else { return }
        saysRefused = true
        state.eventsEnd.yield(.refused)
    }

    private func found(_ process: String) {
        state.withShared { shared in
            shared.connected.insert(process)
            shared.calls.resendAll(to: process, at: .now)
        }
        Trace.control?.debug("found", metadata: ["process": "\(process)"])
        state.eventsEnd.yield(.found(process: process))
    }

    /// A worker keeps its calls while the coordinator is away: it may reconnect, or be restarted.
    private func lose(_ process: String) {
        peers.forget(process)
        lastSent[process] = nil
        _ = detector.forget(process)
        // The calls of a lost process are kept in case it repeats them, but not forever.
        if answered.count > PeerTable.limit { answered = answered.filter { peers[$0.key] != nil } }
        let (wasConnected, generation) = state.withShared { ($0.connected.remove(process) != nil, $0.generation) }
        guard wasConnected else { return }
        Trace.control?.debug("lost", metadata: ["process": "\(process)", "generation": "\(generation)"])
        if state.isCoordinator { state.fail(.lost(process: process)) { $0.process == process } }
        state.eventsEnd.yield(.lost(process: process, generation: generation))
    }
}

extension ControlOptions {
    /// By their names on the wire.
    var knownErrors: [String: any WireError.Type] {
        var known: [String: any WireError.Type] = [:]
        for type in errors + [ClusterError.self] { known[type.wireName] = type }
        return known
    }
}
