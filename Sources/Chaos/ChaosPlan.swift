internal import Transport

/// The faults of one run of a job, and their times: a pure function of the seed and the run's number.
package struct ChaosPlan: Equatable, Sendable {
    /// What is done to a process, or to all of them.
    package enum Deed: Equatable, Sendable {
        /// SIGKILL to a worker.
        case kill
        /// SIGTERM to a worker, as when an operator restarts it.
        case end
        /// A worker is stopped for longer than the heartbeat timeout, then continues.
        case freeze(Duration)
        /// A worker is stopped repeatedly, each time for less than the timeout.
        case slow(stops: Int, Duration)
        case killCoordinator
        case freezeCoordinator(Duration)
        /// A worker's connections are cut repeatedly, with pauses, while all processes live.
        case cut(Links, times: Int, Duration)
        /// The coordinator's connections are cut.
        case cutCoordinator(Links, times: Int, Duration)
        /// SIGKILL to launcher, coordinator and workers; the run is then resumed.
        case killEverything
    }

    /// Which of a process's connections to cut.
    package enum Links: Equatable, Sendable, CaseIterable {
        /// Those between coordinator and workers that carry calls.
        case control
        /// Those that carry samples, gradients and states.
        case data
        case all
    }

    /// The time of a fault.
    package enum Moment: Equatable, Sendable {
        /// This long after the step appears in the run's metrics; for step 0, after the launch.
        case afterStep(Int, Duration)
        /// This long after the fault before it, while the job recovers.
        case afterPrevious(Duration)
        /// This long after the start of a checkpoint beyond this step.
        case inCheckpoint(afterStep: Int, Duration)
    }

    /// One fault: what, when and to which worker.
    package struct Strike: Equatable, Sendable {
        package var deed: Deed
        package var moment: Moment
        /// Which of the workers at that time: this, modulo their number.
        package var choice: Int
    }

    /// Longest silence of a process that the others tolerate (``ControlOptions/lossAfter``), and a margin.
    static let pastTheDeadline = Duration.milliseconds(4_000)

    package let workers: Int
    package let strikes: [Strike]

    /// The plan of run `run`, counted from 1, of a job of `steps` steps.
    ///
    /// Every run kills one to three workers. Every second also cuts the connections of one, every third slows one,
    /// every fourth cuts the coordinator's connections, every fifth kills the coordinator, every seventh freezes a
    /// worker past the deadline, and every eleventh the coordinator.
    /// - Parameters:
    ///   - workers: nil for 2 to 4, by the run's number.
    ///   - sparesCoordinator: whether to disturb only workers.
    package init(seed: UInt64, run: Int, steps: Int, workers: Int? = nil, sparesCoordinator: Bool = false) {
        precondition(run >= 1 && steps >= 1, "run \(run) of \(steps) steps")
        var random = Self.generator(seed, run)
        self.workers = workers ?? 2 + (run - 1) % 3
        // A frozen worker should wake up while the others still work.
        let early = max(1, steps / 4)
        let usual = max(1, steps * 9 / 10)  // later faults may miss the end of the run
        var groups: [(step: Int, strikes: [Strike])] = []
        func add(_ deed: Deed, within steps: Int) {
            let step = Int.random(in: 0..<steps, using: &random)
            let delay = Duration.microseconds(Int.random(in: 0..<(step == 0 ? 800_000 : 30_000), using: &random))
            groups.append(
                (
                    step,
                    [
                        Strike(
                            deed: deed, moment: .afterStep(step, delay),
                            choice: Int.random(in: 0..<1_000, using: &random))
                    ]
                ))
        }
        if run % 7 == 0 { add(.freeze(Self.pastTheDeadline), within: early) }
        if run % 11 == 0, !sparesCoordinator { add(.freezeCoordinator(Self.pastTheDeadline), within: early) }
        if run % 5 == 0, !sparesCoordinator { add(.killCoordinator, within: usual) }
        func links() -> Links { Links.allCases[Int.random(in: 0..<3, using: &random)] }
        func pause() -> Duration { .milliseconds(Int.random(in: 10...150, using: &random)) }
        if run % 2 == 0 { add(.cut(links(), times: Int.random(in: 3...10, using: &random), pause()), within: usual) }
        if run % 4 == 0, !sparesCoordinator {
            add(.cutCoordinator(links(), times: Int.random(in: 2...6, using: &random), pause()), within: usual)
        }
        if run % 3 == 0 {
            add(.slow(stops: 12, .milliseconds(Int.random(in: 20...150, using: &random))), within: early)
        }
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let deed = Int.random(in: 0..<4, using: &random) == 0 ? Deed.end : .kill
            guard let last = groups.indices.last, Bool.random(using: &random) else {
                add(deed, within: usual)
                continue
            }
            let delay = Duration.microseconds(Int.random(in: 0..<400_000, using: &random))
            let choice = Int.random(in: 0..<1_000, using: &random)
            groups[last].strikes.append(Strike(deed: deed, moment: .afterPrevious(delay), choice: choice))
        }
        strikes = groups.sorted { $0.step < $1.step }.flatMap(\.strikes)
    }

    /// Everything is killed at a random instant of a checkpoint's writing, in the middle or near the end of the run.
    package init(killingEverythingWith seed: UInt64, run: Int, steps: Int, checkpointEvery: Int, workers: Int? = nil) {
        precondition(run >= 1 && steps >= 1 && checkpointEvery >= 1, "run \(run) of \(steps) steps")
        var random = Self.generator(seed, run)
        self.workers = workers ?? 2 + (run - 1) % 3
        let last = max(0, steps / checkpointEvery - 1)
        let step = Int.random(in: 0...last, using: &random) * checkpointEvery
        let delay = Duration.microseconds(Int.random(in: 0..<8_000, using: &random))
        strikes = [Strike(deed: .killEverything, moment: .inCheckpoint(afterStep: step, delay), choice: 0)]
    }

    /// Runs with the same seed are otherwise independent.
    private static func generator(_ seed: UInt64, _ run: Int) -> SeededGenerator {
        var first = SeededGenerator(seed: seed)
        return SeededGenerator(seed: first.next() ^ UInt64(run) &* 0xD6E8_FEB8_6659_FD93)
    }
}
