import Foundation
import Testing

@testable import Coordination
@testable import Launching
@testable import Processes

/// What a launcher decides, over every phase and event.
@Suite struct JobStateTests {
    typealias Action = JobState.Action

    @Test func `the coordinator starts first, then one worker after another`() {
        var state = JobState(workers: 2, maxRestarts: 1)
        #expect(state.begin() == [.start(.coordinator)])
        #expect(state.handle(.started(.coordinator), at: .now) == [.start(.worker(0))])
        #expect(state.handle(.started(.worker(0)), at: .now) == [.start(.worker(1))])
        #expect(state.handle(.started(.worker(1)), at: .now) == [])
        #expect(state.phase == .running)
    }

    /// A job of two workers and one restart, brought into each phase, and its answer to each event.
    @Test(arguments: JobPhase.allCases)
    func `each phase answers each event`(phase: JobPhase) {
        for (event, expected) in phase.answers {
            var job = LaunchedJob()
            phase.reach(&job)
            #expect(job.take(event.event) == expected.actions, "\(phase), \(event)")
            #expect(phase.after(event).map { $0 == job.state.phase } ?? true, "\(phase), \(event): \(job.state.phase)")
        }
    }

    @Test func `a worker is replaced as often as allowed, then given up, and every coordinator is told`() {
        var job = LaunchedJob()
        #expect(
            job.take(.ended(.worker(1), .signal(9)))
                == [.say(.replaced(1, .signal(9), after: .zero)), .start(.worker(1))])
        #expect(
            job.take(.ended(.worker(1), .status(1)))
                == [.say(.notReplaced(1, .status(1), restarts: 1)), .tell(.coordinator, .givenUp)])
        #expect(
            job.take(.ended(.coordinator, .signal(9)))
                == [
                    .say(.coordinatorRestarts(signal: 9, after: .zero)), .start(.coordinator),
                    .tell(.coordinator, .givenUp),
                ])
    }

    /// A coordinator that is killed after it has dismissed its workers is started again, and waits for as many.
    @Test func `workers that a killed coordinator had dismissed start again with the next one`() {
        var job = LaunchedJob()
        #expect(job.take(.ended(.worker(1), .status(0))) == [])
        #expect(
            job.take(.ended(.coordinator, .signal(9)))
                == [.say(.coordinatorRestarts(signal: 9, after: .zero)), .start(.coordinator), .start(.worker(1))])
        #expect(job.take(.ended(.worker(1), .status(0))) == [])
        #expect(job.take(.ended(.coordinator, .status(0))) == [.wait(.leave, .seconds(5))])
        #expect(job.end() == .finish(status: 0))
    }

    @Test func `a second death within the time waits a second, and the pause is kept`() {
        var job = LaunchedJob(maxRestarts: 2)
        for role in [JobState.Role.coordinator, .worker(0)] {
            _ = job.take(.ended(role, .signal(11)))
            let actions = job.take(.ended(role, .signal(11)))
            #expect(actions.last == .wait(.restart(role), .seconds(1)))
            #expect(job.take(.due(.restart(role))) == [.start(role)])
            // A timer that comes twice starts nothing.
            #expect(job.take(.due(.restart(role))) == [])
        }
    }

    @Test func `a replacement that cannot take part does not end the job`() {
        var job = LaunchedJob()
        _ = job.take(.ended(.worker(0), .signal(9)))
        #expect(
            job.take(.ended(.worker(0), .status(2)))
                == [.say(.cannotTakePart(0, endsJob: false)), .tell(.coordinator, .givenUp)])
        #expect(job.state.phase == .running)
    }

    @Test func `signals of one burst are one, whatever their number`() {
        var job = LaunchedJob()
        #expect(job.take(.signal(SIGTERM), after: .zero) == [.send(SIGTERM, .coordinator)])
        #expect(job.take(.signal(SIGINT), after: StopSignals.burst - .milliseconds(1)) == [])
        #expect(job.state.phase == .stopping(signal: SIGTERM))
        #expect(job.take(.signal(SIGINT), after: .milliseconds(1)).first == .tell(.worker(0), .end))
    }

    @Test func `in an engine's job the coordinator is asked over its pipe, and never killed before it had time`() {
        var job = LaunchedJob(isPlaced: true)
        #expect(job.take(.signal(SIGINT)) == [.tell(.coordinator, .stop(SIGINT))])
        var refused = LaunchedJob(isPlaced: true)
        #expect(
            refused.take(.ended(.worker(0), .status(2)))
                == [.say(.cannotTakePart(0, endsJob: true)), .tell(.coordinator, .stop(SIGTERM))])
    }

    @Test func `what cannot start at first ends the job, and later it is given up`() {
        var state = JobState(workers: 2, maxRestarts: 1)
        _ = state.begin()
        _ = state.handle(.started(.coordinator), at: .now)
        #expect(
            state.handle(.notStarted(.worker(0), reason: "no"), at: .now)
                == [.say(.failure("no")), .send(SIGKILL, .coordinator)])
        #expect(state.handle(.started(.coordinator), at: .now) == [])
        #expect(state.handle(.ended(.coordinator, .signal(9)), at: .now) == [.sayAll])
        #expect(state.handle(.said, at: .now) == [.finish(status: 1)])

        var first = JobState(workers: 2, maxRestarts: 1)
        _ = first.begin()
        #expect(first.handle(.notStarted(.coordinator, reason: "no"), at: .now) == [.say(.failure("no")), .sayAll])
        #expect(first.handle(.said, at: .now) == [.finish(status: 1)])

        var job = LaunchedJob()
        _ = job.take(.ended(.worker(0), .signal(9)))
        #expect(
            job.take(.notStarted(.worker(0), reason: "no")) == [.say(.failure("no")), .tell(.coordinator, .givenUp)])
        _ = job.take(.ended(.coordinator, .signal(9)))
        #expect(
            job.take(.notStarted(.coordinator, reason: "no")) == [.say(.failure("no")), .wait(.leave, .seconds(5))])
        #expect(job.end() == .finish(status: 137))
    }

    /// How the coordinator ends, whether a signal or a worker's refusal came before, and the job's status.
    @Test func `the status is that of the cause`() {
        typealias Ending = SpawnedProcess.End
        for end: Ending in [.status(0), .status(1), .status(2), .status(143), .signal(9)] {
            var plain = LaunchedJob(maxRestarts: 0)
            _ = plain.take(.ended(.coordinator, end))
            #expect(plain.end() == .finish(status: end.shellStatus))

            var stopped = LaunchedJob()
            _ = stopped.take(.signal(SIGINT))
            _ = stopped.take(.ended(.coordinator, end))
            #expect(stopped.end() == .finish(status: end == .signal(9) ? 130 : end.shellStatus))

            // The signal came while the workers left.
            var late = LaunchedJob(maxRestarts: 0)
            _ = late.take(.ended(.coordinator, end))
            _ = late.take(.signal(SIGINT))
            #expect(late.end() == .finish(status: end == .signal(9) ? 130 : end.shellStatus))

            var refused = LaunchedJob()
            _ = refused.take(.signal(SIGINT))
            _ = refused.take(.ended(.worker(0), .status(2)))
            _ = refused.take(.ended(.coordinator, end))
            #expect(refused.end() == .finish(status: 2))

            var hurried = LaunchedJob()
            _ = hurried.take(.ended(.coordinator, end))
            _ = hurried.take(.signal(SIGTERM))
            _ = hurried.take(.signal(SIGINT))
            #expect(hurried.end() == .exit(status: 130))
        }
    }

    /// All sequences of up to three events of the processes, signals and timers that a job has.
    @Test func `however a job goes, it ends, starts no process twice, and leaves none running`() {
        var search = JobSearch()
        for isPlaced in [false, true] {
            for maxRestarts in 0...2 {
                search.visit(LaunchedJob(maxRestarts: maxRestarts, isPlaced: isPlaced), depth: 3)
            }
        }
        #expect(search.problems.isEmpty, "\(search.problems.prefix(3))")
        #expect(search.visited > 10_000)
    }
}
