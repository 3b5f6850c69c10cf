internal import Transport

/// What is done to one run of a job, and when: a pure function of the seed and the run's number.
package struct ChaosPlan: Equatable, Sendable {
    package enum Deed: Equatable, Sendable {
        /// SIGKILL to a worker.
        case kill
        /// SIGTERM to a worker, as an operator restarts it.
        case end
        /// A worker stands still for longer than the heartbeat's limit, then wakes up.
        case freeze(Duration)
        /// A worker stands still again and again, each time for less than the limit.
        case slow(stops: Int, Duration)
        case killCoordinator
        case freezeCoordinator(Duration)
        /// The connections of a worker are cut again and again while it and the others live, each time after a pause.
        case cut(Links, times: Int, Duration)
        /// Those of the coordinator.
        case cutCoordinator(Links, times: Int, Duration)
        /// SIGKILL to launcher, coordinator and workers; the run is then resumed.
        case killEverything
    }

    /// Which of a process's connections are cut.
    package enum Links: Equatable, Sendable, CaseIterable {
        /// Those between coordinator and workers over which calls go.
        case control
        /// Those over which samples, gradients and states go.
        case data
        case all
    }

    /// The instant of a deed.
    package enum Moment: Equatable, Sendable {
        /// So long after the run's metrics tell of this step; of step 0, after the launch.
        case afterStep(Int, Duration)
        /// So long after the deed before it, which is when the job recovers from that one.
        case afterPrevious(Duration)
        /// So long after a checkpoint beyond this step was begun.
        case inCheckpoint(afterStep: Int, Duration)
    }

    package struct Strike: Equatable, Sendable {
        package var deed: Deed
        package var moment: Moment
        /// Which of the workers that are there then: this, modulo their number.
        package var choice: Int
    }

    /// Longest silence of a process that the others bear with (``ControlOptions/lossAfter``), and a margin.
    static let pastTheDeadline = Duration.milliseconds(4_000)

    package let workers: Int
    package let strikes: [Strike]

    /// The plan of run `run`, counted from 1, of a job of `steps` steps.
    ///
    /// Every run kills one to three workers. Every second also cuts the connections of one, every third slows one, every fourth
    /// cuts the coordinator's connections, every fifth kills the coordinator, every seventh freezes a worker past the deadline,
    /// and every eleventh the coordinator.
    /// - Parameters:
    ///   - workers: nil for 2 to 4, by the run's number.
    ///   - sparesCoordinator: whether only workers are disturbed.
    package init(seed: UInt64, run: Int, steps: Int, workers: Int? = nil, sparesCoordinator: Bool = false) {
        precondition(run >= 1 && steps >= 1, "run \(run) of \(steps) steps")
        var random = Self.generator(seed, run)
        self.workers = workers ?? 2 + (run - 1) % 3
        // A frozen worker should wake up while the others still work.
        let early = max(1, steps / 4)
        let usual = max(1, steps * 9 / 10)  // what comes later than that may find the run at its end
        var groups: [(step: Int, strikes: [Strike])] = []
        func add(_ deed: Deed, within steps: Int) {
            let step = Int.random(in: 0..<steps, using: &random)
            let delay = Duration.microseconds(Int.random(in: 0..<(step == 0 ? 800_000 : 30_000), using: &random))
            groups.append((step, [Strike(deed: deed, moment: .afterStep(step, delay), choice: Int.random(in: 0..<1_000, using: &random))]))
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
        if run % 3 == 0 { add(.slow(stops: 12, .milliseconds(Int.random(in: 20...150, using: &random))), within: early) }
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

    /// Everything is killed at a random instant of a checkpoint's writing, in the middle of the run or near its end.
    package init(killingEverythingWith seed: UInt64, run: Int, steps: Int, checkpointEvery: Int, workers: Int? = nil) {
        precondition(run >= 1 && steps >= 1 && checkpointEvery >= 1, "run \(run) of \(steps) steps")
        var random = Self.generator(seed, run)
        self.workers = workers ?? 2 + (run - 1) % 3
        let last = max(0, steps / checkpointEvery - 1)
        let step = Int.random(in: 0...last, using: &random) * checkpointEvery
        let delay = Duration.microseconds(Int.random(in: 0..<8_000, using: &random))
        strikes = [Strike(deed: .killEverything, moment: .inCheckpoint(afterStep: step, delay), choice: 0)]
    }

    /// Runs of one seed have nothing in common but the seed.
    private static func generator(_ seed: UInt64, _ run: Int) -> SeededGenerator {
        var first = SeededGenerator(seed: seed)
        return SeededGenerator(seed: first.next() ^ UInt64(run) &* 0xD6E8_FEB8_6659_FD93)
    }
}
