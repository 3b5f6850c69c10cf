import Foundation

@testable import Coordination
@testable import Launching
@testable import Processes

/// Each phase of a job of two workers with one restart, and its answer to each event.
enum JobPhase: CaseIterable {
    case running
    case pausing
    case stopping
    case refused
    case awaited
    case told
    case killed
    case hurried
    case hurriedKilled
    case over

    /// Events, by name.
    enum Event: CaseIterable {
        case coordinatorDone
        case coordinatorKilled
        case workerDone
        case workerKilled
        case workerRefuses
        case signal
        case restart
        case leave
        case kill
        case killAtOnce
        case exit
        case said

        var event: JobState.Event {
            switch self {
            case .coordinatorDone: .ended(.coordinator, .status(0))
            case .coordinatorKilled: .ended(.coordinator, .signal(SIGKILL))
            case .workerDone: .ended(.worker(1), .status(0))
            case .workerKilled: .ended(.worker(1), .signal(SIGKILL))
            case .workerRefuses: .ended(.worker(1), .status(2))
            case .signal: .signal(SIGINT)
            case .restart: .due(.restart(.coordinator))
            case .leave: .due(.leave)
            case .kill: .due(.kill)
            case .killAtOnce: .due(.killAtOnce)
            case .exit: .due(.exit)
            case .said: .said
            }
        }
    }

    struct Answer {
        let actions: [JobState.Action]

        init(_ actions: JobState.Action...) { self.actions = actions }
    }

    func reach(_ job: inout LaunchedJob) {
        switch self {
        case .running: break
        case .pausing:
            job = LaunchedJob(maxRestarts: 2)
            for _ in 0..<2 { _ = job.take(.ended(.coordinator, .signal(SIGKILL))) }
        case .stopping: _ = job.take(.signal(SIGTERM))
        case .refused: _ = job.take(.ended(.worker(0), .status(2)))
        case .awaited: _ = job.take(.ended(.coordinator, .status(0)))
        case .told:
            _ = job.take(.ended(.coordinator, .status(0)))
            _ = job.take(.due(.leave))
        case .killed:
            _ = job.take(.ended(.coordinator, .status(0)))
            for timer: JobState.Timer in [.leave, .kill] { _ = job.take(.due(timer)) }
        case .hurried: for _ in 0..<2 { _ = job.take(.signal(SIGTERM)) }
        case .hurriedKilled:
            for _ in 0..<2 { _ = job.take(.signal(SIGTERM)) }
            _ = job.take(.due(.killAtOnce))
        case .over:
            _ = job.take(.ended(.coordinator, .status(0)))
            for worker in 0..<2 { _ = job.take(.ended(.worker(worker), .status(0))) }
        }
    }

    private static let replaced = Answer(.say(.replaced(1, .signal(SIGKILL), after: .zero)), .start(.worker(1)))
    private static let refuses = JobState.Action.say(.cannotTakePart(1, endsJob: true))
    private static let awaitsWorkers = Answer(.wait(.leave, .seconds(5)))
    private static let tellsWorkers = Answer(
        .tell(.worker(0), .end), .tell(.worker(1), .end), .wait(.kill, .seconds(2)))
    private static let hurries = Answer(
        .tell(.worker(0), .end), .tell(.worker(1), .end), .wait(.killAtOnce, .milliseconds(500)))
    private static let killsAll = Answer(
        .send(SIGKILL, .coordinator), .send(SIGKILL, .worker(0)), .send(SIGKILL, .worker(1)),
        .wait(.exit, .milliseconds(500)))

    /// The answers to all events; those that are not named are answered by nothing.
    var answers: [(Event, Answer)] {
        let named: [Event: Answer] =
            switch self {
            case .running:
                [
                    .coordinatorDone: Self.awaitsWorkers,
                    .coordinatorKilled: Answer(
                        .say(.coordinatorRestarts(signal: SIGKILL, after: .zero)), .start(.coordinator)),
                    .workerKilled: Self.replaced,
                    .workerRefuses: Answer(Self.refuses, .send(SIGKILL, .coordinator)),
                    .signal: Answer(.send(SIGINT, .coordinator)),
                ]
            case .pausing:
                [
                    .coordinatorDone: Self.awaitsWorkers,
                    .coordinatorKilled: Answer(.say(.coordinatorLost(signal: SIGKILL)), .wait(.leave, .seconds(5))),
                    .workerDone: Answer(.start(.worker(1))), .workerKilled: Self.replaced,
                    .workerRefuses: Answer(Self.refuses, .tell(.worker(0), .end), .wait(.kill, .seconds(2))),
                    .signal: Self.awaitsWorkers,
                    .restart: Answer(.start(.coordinator)),
                ]
            case .stopping:
                [
                    .coordinatorDone: Self.awaitsWorkers, .coordinatorKilled: Self.awaitsWorkers,
                    .workerKilled: Self.replaced,
                    .workerRefuses: Answer(Self.refuses, .send(SIGKILL, .coordinator)), .signal: Self.hurries,
                ]
            case .refused:
                [
                    .coordinatorDone: Answer(.tell(.worker(1), .end), .wait(.kill, .seconds(2))),
                    .coordinatorKilled: Answer(.tell(.worker(1), .end), .wait(.kill, .seconds(2))),
                    .workerKilled: Self.replaced,
                    .workerRefuses: Answer(Self.refuses, .send(SIGKILL, .coordinator)),
                    .signal: Answer(.send(SIGINT, .coordinator)),
                ]
            case .awaited: [.leave: Self.tellsWorkers]
            case .told: [.kill: Answer(.send(SIGKILL, .worker(0)), .send(SIGKILL, .worker(1)))]
            case .killed: [:]
            case .hurried: [.killAtOnce: Self.killsAll]
            case .hurriedKilled: [.exit: Answer(.exit(status: 143))]
            case .over: [.said: Answer(.finish(status: 0))]
            }
        return Event.allCases.map { ($0, named[$0] ?? Answer()) }
    }

    /// The phase after an event, where the table says it.
    func after(_ event: Event) -> JobState.Phase? {
        let done = SpawnedProcess.End.status(0)
        return switch (self, event) {
        case (.running, .signal): .stopping(signal: SIGINT)
        case (.running, .workerRefuses), (.stopping, .workerRefuses), (.refused, .signal): .refused(status: 2)
        case (.running, .coordinatorDone): .leaving(.awaited, JobState.Outcome(coordinator: done))
        case (.stopping, .coordinatorDone): .leaving(.awaited, JobState.Outcome(coordinator: done, signal: SIGTERM))
        case (.refused, .coordinatorDone): .leaving(.told, JobState.Outcome(coordinator: done, refusal: 2))
        case (.awaited, .signal): .leaving(.awaited, JobState.Outcome(coordinator: done, signal: SIGINT))
        case (.awaited, .leave): .leaving(.told, JobState.Outcome(coordinator: done))
        case (.told, .kill): .leaving(.killed, JobState.Outcome(coordinator: done))
        case (.stopping, .signal): .hurrying(.told, signal: SIGINT)
        case (.hurried, .killAtOnce): .hurrying(.killed, signal: SIGTERM)
        case (.hurriedKilled, .exit): .over(status: 143)
        case (.running, _), (.pausing, _), (.stopping, _), (.refused, _), (.awaited, _), (.told, _), (.killed, _),
            (.hurried, _), (.hurriedKilled, _), (.over, _):
            nil
        }
    }
}
