import Foundation

@testable import Coordination
@testable import Launching
@testable import Processes

/// A job of two workers whose processes, timers and time are values.
struct LaunchedJob {
    var state: JobState
    private(set) var running: Set<JobState.Role> = []
    private(set) var timers: [JobState.Timer: ContinuousClock.Instant] = [:]
    private(set) var now = ContinuousClock.now
    /// All that happened, for messages.
    private(set) var story: [JobState.Event] = []
    /// The last action, once there is one.
    private(set) var ended: JobState.Action?
    /// A rule that was broken.
    private(set) var problem: String?
    private var told: Set<JobState.Role> = []
    private var isToBeSaid = false

    /// With all processes running.
    init(maxRestarts: Int = 1, isPlaced: Bool = false) {
        state = JobState(workers: 2, maxRestarts: maxRestarts, isPlaced: isPlaced)
        perform(state.begin())
        for role in [JobState.Role.coordinator, .worker(0), .worker(1)] { _ = take(.started(role)) }
        story = []
    }

    /// The actions that follow from an event.
    mutating func take(_ event: JobState.Event, after pause: Duration = .seconds(1)) -> [JobState.Action] {
        now += pause
        story.append(event)
        switch event {
        case .ended(let role, _), .notStarted(let role, _): running.remove(role)
        case .due(let timer): timers[timer] = nil
        case .said: isToBeSaid = false
        case .started, .signal: break
        }
        let actions = state.handle(event, at: now)
        perform(actions)
        return actions
    }

    private mutating func perform(_ actions: [JobState.Action]) {
        for action in actions {
            if ended != nil { problem = "\(action) after the end" }
            switch action {
            case .start(let role): if !running.insert(role).inserted { problem = "\(role) started twice" }
            case .send(let signal, let role): if signal == SIGKILL { told.insert(role) }
            case .tell(let role, .end): told.insert(role)
            case .wait(let timer, let pause):
                if timers[timer] != nil { problem = "\(timer) set twice" }
                timers[timer] = now + pause
            case .sayAll: isToBeSaid = true
            case .finish:
                ended = action
                if !running.isEmpty { problem = "\(running) run after the end" }
            case .exit: ended = action
            case .tell, .say: break
            }
        }
    }

    /// What can happen now: each process ends in each way, a signal comes, the first timer is due.
    var possible: [JobState.Event] {
        var events: [JobState.Event] = []
        for role in [JobState.Role.coordinator, .worker(0), .worker(1)] where running.contains(role) {
            for end: SpawnedProcess.End in [.status(0), .status(1), .status(2), .signal(SIGKILL)] {
                events.append(.ended(role, end))
            }
        }
        events += [.signal(SIGINT), .signal(SIGTERM)]
        if let next = timers.min(by: { $0.value < $1.value }) { events.append(.due(next.key)) }
        if isToBeSaid { events.append(.said) }
        return events
    }

    /// Lets the job end: the coordinator ends as asked, workers as told, and timers come.
    /// - Returns: the last action; nil if there is none.
    mutating func end() -> JobState.Action? {
        for _ in 0..<40 where ended == nil {
            if isToBeSaid {
                _ = take(.said)
            } else if let role = running.first(where: told.contains) {
                _ = take(.ended(role, .signal(SIGKILL)))
            } else if let next = timers.min(by: { $0.value < $1.value }) {
                _ = take(.due(next.key))
            } else if running.contains(.coordinator) {
                _ = take(.ended(.coordinator, .status(0)))
            }
        }
        return ended
    }
}

/// Visits every sequence of events.
struct JobSearch {
    private(set) var visited = 0
    private(set) var problems: [String] = []

    mutating func visit(_ job: LaunchedJob, depth: Int) {
        visited += 1
        var rest = job
        if rest.end() == nil { problems.append("does not end: \(rest.story)") }
        if let problem = rest.problem ?? job.problem { problems.append("\(problem): \(rest.story)") }
        guard depth > 0, job.ended == nil else { return }
        for event in job.possible {
            var next = job
            _ = next.take(event)
            visit(next, depth: depth - 1)
        }
    }
}
