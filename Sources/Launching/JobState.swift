internal import Coordination
internal import Foundation
internal import Processes

/// What becomes of a job: which of its processes start, what they are told, and how the job ends.
///
/// Pure: events and time go in, actions come out; ``Supervisor`` carries them out.
///
///     running ── signal ──▶ stopping ─┐
///        │ └──── a worker cannot take part ──▶ refused
///        └─ the coordinator has ended for good: from each of them ──▶ leaving ──▶ over
///     a second signal: from each of them ──▶ hurrying ──▶ over
///
/// The coordinator's end is the job's. If a signal from elsewhere ended it, it is restarted; a worker is replaced as
/// often as allowed.
struct JobState: Sendable {
    enum Role: Hashable, Sendable {
        case coordinator
        case worker(Int)
    }

    enum Phase: Equatable, Sendable {
        /// The coordinator runs, or starts again after a pause.
        case running
        /// The coordinator was asked to end after a checkpoint.
        case stopping(signal: Int32)
        /// Some process cannot start or take part, which makes the job pointless: the coordinator is being ended.
        case refused(status: Int32)
        /// The coordinator has ended for good, and the workers are leaving.
        case leaving(Departure, Outcome)
        /// A second signal asked for an end at once.
        case hurrying(Departure, signal: Int32)
        /// No process is left; the last news are being said.
        case over(status: Int32)
    }

    /// How urgently processes were asked to end.
    enum Departure: Equatable, Sendable {
        /// The coordinator dismisses its workers.
        case awaited
        case told
        case killed
    }

    /// All that decides the exit status of a job without a coordinator.
    struct Outcome: Equatable, Sendable {
        let coordinator: SpawnedProcess.End
        /// The first stop signal.
        var signal: Int32?
        /// The status of a worker that cannot take part.
        var refusal: Int32?

        /// With status 2 the job ended before any work: no process has anything to finish.
        var hasWorked: Bool { refusal == nil && coordinator != .status(2) }

        var status: Int32 {
            if let refusal { return refusal }
            // The signal came after the coordinator's crash, or before it could ask for a stop.
            if let signal, case .signal = coordinator { return 128 + signal }
            return coordinator.shellStatus
        }
    }

    /// Deadlines. Each is set at most once before it is due.
    enum Timer: Hashable, Sendable {
        case restart(Role)
        /// The workers had time to leave by themselves.
        case leave
        /// Told workers had time to end.
        case kill
        /// The same after a second signal.
        case killAtOnce
        /// Nothing is waited for any more.
        case exit

        /// The wait before it, except for a restart.
        static let times: [Timer: Duration] = [
            .leave: .seconds(5), .kill: .seconds(2), .killAtOnce: .milliseconds(500), .exit: .milliseconds(500),
        ]
    }

    enum Event: Equatable, Sendable {
        case started(Role)
        case notStarted(Role, reason: String)
        /// A process has ended, and its output was passed on.
        case ended(Role, SpawnedProcess.End)
        /// SIGINT or SIGTERM, or SIGTERM for the end of the terminal.
        case signal(Int32)
        case due(Timer)
        /// All news so far were said.
        case said
    }

    enum Action: Equatable, Sendable {
        /// ``Event/started(_:)`` or ``Event/notStarted(_:reason:)`` follows.
        case start(Role)
        case send(Int32, Role)
        case tell(Role, LauncherPipe.Word)
        case wait(Timer, Duration)
        case say(JobNews)
        /// Requests ``Event/said``.
        case sayAll
        case finish(status: Int32)
        /// Cleans up and exits without waiting for anything.
        case exit(status: Int32)
    }

    private(set) var phase = Phase.running
    private let workers: Int
    private let maxRestarts: Int
    /// Whether signals reach the coordinator only through its standard input: an engine signals it, too.
    private let isPlaced: Bool
    /// Workers that were not started yet.
    private var unstarted: ArraySlice<Role>
    private var running: Set<Role> = []
    /// Roles that start again after a pause.
    private var pausing: Set<Role> = []
    /// Of the roles that died.
    private var policies: [Role: RestartPolicy] = [:]
    /// Workers that ended as a coordinator asked: its successor, if it gets one, needs them again.
    private var dismissed: Set<Int> = []
    /// Workers that will not be replaced any more.
    private var givenUp = 0
    private var signals = StopSignals()
    /// The newest end of the coordinator.
    private var coordinatorsEnd = SpawnedProcess.End.status(1)

    init(workers: Int, maxRestarts: Int, isPlaced: Bool = false) {
        self.workers = workers
        unstarted = (0..<workers).map(Role.worker)[...]
        self.maxRestarts = maxRestarts
        self.isPlaced = isPlaced
    }

    /// The first actions: the coordinator starts, then one worker after another.
    mutating func begin() -> [Action] { [start(.coordinator)] }

    mutating func handle(_ event: Event, at now: ContinuousClock.Instant) -> [Action] {
        switch event {
        case .started: startNext()
        case .ended(.coordinator, let end): coordinatorEnded(end, at: now)
        case .ended(.worker(let number), let end): workerEnded(number, end, at: now)
        case .notStarted(let role, let reason): notStarted(role, reason)
        case .signal(let number): signal(number, at: now)
        case .due(let timer): due(timer)
        case .said: if case .over(let status) = phase { [.finish(status: status)] } else { [] }
        }
    }

    /// Whether processes still start again.
    private var goesOn: Bool {
        switch phase {
        case .running, .stopping, .refused: true
        case .leaving, .hurrying, .over: false
        }
    }
}

// MARK: Processes

extension JobState {
    private mutating func start(_ role: Role) -> Action {
        pausing.remove(role)
        running.insert(role)
        return .start(role)
    }

    private mutating func startNext() -> [Action] {
        switch phase {
        case .running, .stopping: unstarted.popFirst().map { [start($0)] } ?? []
        case .refused, .leaving, .hurrying, .over: []
        }
    }

    /// A new coordinator has to know which workers it need not wait for.
    private mutating func startCoordinator() -> [Action] {
        [start(.coordinator)] + Array(repeating: .tell(.coordinator, .givenUp), count: givenUp)
    }

    private mutating func start(_ role: Role, after pause: Duration) -> [Action] {
        guard pause == .zero else {
            pausing.insert(role)
            return [.wait(.restart(role), pause)]
        }
        return role == .coordinator ? startCoordinator() : [start(role)]
    }

    private mutating func decision(on role: Role, at now: ContinuousClock.Instant) -> RestartPolicy.Decision {
        var policy = policies[role] ?? RestartPolicy(limit: maxRestarts)
        defer { policies[role] = policy }
        return policy.died(at: now)
    }

    private mutating func workerEnded(_ number: Int, _ end: SpawnedProcess.End, at now: ContinuousClock.Instant)
        -> [Action]
    {
        let role = Role.worker(number)
        running.remove(role)
        guard goesOn else { return goOnEnding() }
        guard end != .status(0) else {
            dismissed.insert(number)
            return pausing.contains(.coordinator) ? startDismissed() : []
        }
        if end == .status(2) {
            // It reported why it cannot take part; a replacement could not either.
            let isFirst = policies[role] == nil
            return [.say(.cannotTakePart(number, endsJob: isFirst))] + (isFirst ? refuse(2) : giveUp())
        }
        switch decision(on: role, at: now) {
        case .giveUp(let restarts): return [.say(.notReplaced(number, end, restarts: restarts))] + giveUp()
        case .restart(let pause): return [.say(.replaced(number, end, after: pause))] + start(role, after: pause)
        }
    }

    private mutating func coordinatorEnded(_ end: SpawnedProcess.End, at now: ContinuousClock.Instant) -> [Action] {
        running.remove(.coordinator)
        coordinatorsEnd = end
        switch phase {
        case .running:
            guard case .signal(let number) = end else { return leave() }
            guard case .restart(let pause) = decision(on: .coordinator, at: now) else {
                return [.say(.coordinatorLost(signal: number))] + leave()
            }
            return [.say(.coordinatorRestarts(signal: number, after: pause))]
                + start(.coordinator, after: pause) + startDismissed()
        case .stopping(let signal): return leave(signal: signal)
        case .refused(let status): return leave(refusal: status)
        case .leaving, .hurrying, .over: return goOnEnding()
        }
    }

    private mutating func startDismissed() -> [Action] {
        defer { dismissed = [] }
        return dismissed.sorted().map { start(.worker($0)) }
    }

    private mutating func notStarted(_ role: Role, _ reason: String) -> [Action] {
        running.remove(role)
        let news = Action.say(.failure(reason))
        guard goesOn else { return [news] }
        if role == .coordinator { return [news] + leave() }
        return [news] + (policies[role] == nil ? refuse(1) : giveUp())
    }

    /// Tells this coordinator and its successors that one of the requested workers will not join.
    private mutating func giveUp() -> [Action] {
        givenUp += 1
        return running.contains(.coordinator) ? [.tell(.coordinator, .givenUp)] : []
    }
}

// MARK: Ends

extension JobState {
    /// The first signal asks the coordinator to end after a checkpoint; a later one ends everything at once.
    private mutating func signal(_ number: Int32, at now: ContinuousClock.Instant) -> [Action] {
        switch signals.receive(at: now) {
        case .repeated: return []
        case .endAtOnce: return hurry(number)
        case .stop: break
        }
        switch phase {
        case .running:
            guard running.contains(.coordinator) else { return leave(signal: number) }
            phase = .stopping(signal: number)
            return [ask(number)]
        case .refused: return [ask(number)]
        case .leaving(let departure, var outcome):
            outcome.signal = number
            phase = .leaving(departure, outcome)
            return []
        case .stopping, .hurrying, .over: return []
        }
    }

    /// Makes the coordinator end the run after a checkpoint.
    private func ask(_ signal: Int32) -> Action {
        isPlaced ? .tell(.coordinator, .stop(signal)) : .send(signal, .coordinator)
    }

    /// Ends a job that cannot start; the coordinator dismisses workers elsewhere.
    private mutating func refuse(_ status: Int32) -> [Action] {
        guard running.contains(.coordinator) else { return leave(refusal: status) }
        phase = .refused(status: status)
        return [isPlaced ? ask(SIGTERM) : .send(SIGKILL, .coordinator)]
    }

    /// The workers that run, lowest first.
    private var runningWorkers: [Role] { (0..<workers).map(Role.worker).filter(running.contains) }

    private func tellToEnd() -> [Action] { runningWorkers.map { .tell($0, .end) } }

    private func wait(for timer: Timer) -> Action { .wait(timer, Timer.times[timer] ?? .zero) }

    /// Workers leave when the coordinator dismisses them; the others are told to end at once, then killed.
    private mutating func leave(signal: Int32? = nil, refusal: Int32? = nil) -> [Action] {
        pausing = []
        let outcome = Outcome(coordinator: coordinatorsEnd, signal: signal, refusal: refusal)
        phase = .leaving(outcome.hasWorked ? .awaited : .told, outcome)
        guard !runningWorkers.isEmpty else { return goOnEnding() }
        return outcome.hasWorked ? [wait(for: .leave)] : tellToEnd() + [wait(for: .kill)]
    }

    private mutating func hurry(_ signal: Int32) -> [Action] {
        if case .hurrying = phase { return [] }
        pausing = []
        phase = .hurrying(.told, signal: signal)
        guard !runningWorkers.isEmpty else { return goOnEnding() }
        return tellToEnd() + [wait(for: .killAtOnce)]
    }

    /// The next action once a process of an ending job has ended.
    private mutating func goOnEnding() -> [Action] {
        switch phase {
        case .leaving(_, let outcome) where runningWorkers.isEmpty:
            phase = .over(status: outcome.status)
            return [.sayAll]
        case .hurrying(.killed, let signal) where running.isEmpty: return exit(128 + signal)
        case .hurrying(.told, let signal) where runningWorkers.isEmpty: return killAll(signal)
        case .running, .stopping, .refused, .leaving, .hurrying, .over: return []
        }
    }

    private mutating func killAll(_ signal: Int32) -> [Action] {
        phase = .hurrying(.killed, signal: signal)
        guard !running.isEmpty else { return exit(128 + signal) }
        let coordinator = running.contains(.coordinator) ? [Role.coordinator] : []
        return (coordinator + runningWorkers).map { .send(SIGKILL, $0) } + [wait(for: .exit)]
    }

    private mutating func exit(_ status: Int32) -> [Action] {
        phase = .over(status: status)
        return [.exit(status: status)]
    }

    private mutating func due(_ timer: Timer) -> [Action] {
        switch (timer, phase) {
        case (.restart(let role), _):
            guard pausing.contains(role) else { return [] }
            return start(role, after: .zero)
        case (.leave, .leaving(.awaited, let outcome)):
            phase = .leaving(.told, outcome)
            return tellToEnd() + [wait(for: .kill)]
        case (.kill, .leaving(.told, let outcome)):
            phase = .leaving(.killed, outcome)
            return runningWorkers.map { .send(SIGKILL, $0) }
        case (.killAtOnce, .hurrying(.told, let signal)): return killAll(signal)
        case (.exit, .hurrying(.killed, let signal)): return exit(128 + signal)
        case (.leave, _), (.kill, _), (.killAtOnce, _), (.exit, _): return []
        }
    }
}
