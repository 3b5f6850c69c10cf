internal import Foundation
internal import Synchronization
internal import Wording

/// The options of `apus chaos`.
package struct ChaosOptions: Equatable, Sendable {
    package var runs: Int
    /// Number of the first run: a run's faults depend only on the seed and its number.
    package var first: Int
    package var seed: UInt64
    /// Nil: 2 to 4, depending on the run's number.
    package var workers: Int?
    package var everything: Bool
    package var sparesCoordinator: Bool
    /// How long one run may take; nil: derived from the undisturbed run.
    package var deadline: Duration?
    /// The process of a running launcher to disturb instead.
    package var launcher: Int32?
    /// Options of `apus launch`.
    package var job: [String]

    package init(
        runs: Int, first: Int, seed: UInt64, workers: Int?, everything: Bool, sparesCoordinator: Bool,
        deadline: Duration?, launcher: Int32?,
        job: [String]
    ) {
        self.runs = runs
        self.first = first
        self.seed = seed
        self.workers = workers
        self.everything = everything
        self.sparesCoordinator = sparesCoordinator
        self.deadline = deadline
        self.launcher = launcher
        self.job = job
    }
}

/// Runs a job undisturbed once, then repeatedly, each time with another plan of faults.
package struct ChaosCampaign {
    private let options: ChaosOptions
    private let job: ChaosJob
    private let emit: (String) throws -> Void

    /// - Parameter folder: where the runs are written.
    package init(_ options: ChaosOptions, folder: String, emit: @escaping (String) throws -> Void) throws {
        self.options = options
        self.emit = emit
        job = try ChaosJob(given: options.job, folder: folder)
        if job.isCluster, options.workers != nil {
            throw InputError("--workers is only for this machine: the cluster file names the workers")
        }
    }

    /// - Returns: whether every run ended as it must.
    package func run() throws -> Bool {
        if job.isCluster {
            try emit(
                "processes on other hosts cannot be reached from here: for their workers only the ssh sessions are "
                    + "disturbed"
            )
        }
        var undisturbed: [Int: ChaosOutcome] = [:]
        var tally = ChaosTally()
        for number in options.first..<(options.first + options.runs) {
            let workers = job.isCluster ? 1 : plan(number, steps: 1, checkpointEvery: 1).workers
            let expected: ChaosOutcome
            if let known = undisturbed[workers] {
                expected = known
            } else {
                expected = try reference(workers: workers, others: undisturbed.values.first)
                undisturbed[workers] = expected
            }
            let last = expected.steps.last ?? 1
            let plan = plan(number, steps: last, checkpointEvery: checkpointEvery ?? last)
            let name = "run-\(number)"
            // The time of an undisturbed run, plus waits for frozen workers, with a margin for a shared machine.
            let deadline = options.deadline ?? .seconds(60 + 5 * expected.seconds)
            let run = DisturbedRun(name, of: job, workers: workers, plan: plan, deadline: deadline)
            let outcome = try run.run()
            let complaints = outcome.complaints(against: expected)
            let lost = outcome.seconds - expected.seconds
            tally.add(outcome, isWell: complaints.isEmpty, lost: lost)
            try emit("run \(number): " + describe(outcome, complaints, workers: workers, lost: lost))
            if complaints.isEmpty {
                try? FileManager.default.removeItem(atPath: job.output(name))
            } else {
                try? Data(run.words.utf8).write(to: URL(fileURLWithPath: job.output(name) + ".words"))
                try emit(
                    "run \(number): its files are in \(job.output(name)), its processes' output is "
                        + "\(job.output(name)).words"
                )
            }
            try? FileManager.default.removeItem(atPath: job.output(name) + ".tmp")
        }
        try emit(tally.line(digest: undisturbed.values.first?.digest ?? ""))
        return tally.failed == 0
    }

    private func plan(_ number: Int, steps: Int, checkpointEvery: Int) -> ChaosPlan {
        options.everything
            ? ChaosPlan(
                killingEverythingWith: options.seed, run: number, steps: steps, checkpointEvery: checkpointEvery,
                workers: options.workers)
            : ChaosPlan(
                seed: options.seed, run: number, steps: steps, workers: options.workers,
                sparesCoordinator: options.sparesCoordinator)
    }

    /// According to the job's options.
    private var checkpointEvery: Int? {
        job.options.firstIndex(of: "--checkpoint-every").flatMap {
            $0 + 1 < job.options.count ? Int(job.options[$0 + 1]) : nil
        }
    }

    /// The undisturbed run with this many workers, whose bits the others must reproduce.
    private func reference(workers: Int, others: ChaosOutcome?) throws -> ChaosOutcome {
        let name = "undisturbed-\(workers)"
        let run = DisturbedRun(
            name, of: job, workers: workers, plan: nil, deadline: options.deadline ?? .seconds(24 * 3_600))
        let outcome = try run.run()
        guard outcome.status == 0, !outcome.digest.isEmpty, outcome.leftovers.isEmpty,
            outcome.digest == others?.digest ?? outcome.digest
        else {
            let last =
                run.words.split(separator: "\n").last.map {
                    $0.hasPrefix("apus: ") ? String($0.dropFirst(6)) : String($0)
                } ?? ""
            if outcome.status == 2 { throw InputError(last) }
            let reasons = outcome.status == 0 ? outcome.complaints(against: others ?? outcome) : [last]
            throw RunError(
                "the undisturbed run of \(counted(workers, "worker")) failed: \(reasons.joined(separator: "; "))")
        }
        try emit(
            "undisturbed, \(job.isCluster ? "the cluster's workers" : counted(workers, "worker")): SHA-256 "
                + "\(outcome.digest), \(counted(outcome.steps.count, "step")), "
                + "\(decimal(outcome.seconds, 1)) s")
        try? FileManager.default.removeItem(atPath: job.output(name))
        try? FileManager.default.removeItem(atPath: job.output(name) + ".tmp")
        return outcome
    }

    private func describe(_ outcome: ChaosOutcome, _ complaints: [String], workers: Int, lost: Double) -> String {
        let deeds = outcome.deeds.isEmpty ? "it ended before any fault" : outcome.deeds.joined(separator: ", ")
        guard complaints.isEmpty else { return "\(deeds): \(complaints.joined(separator: "; "))" }
        let whole = outcome.ledger.count
        let ledger =
            whole == 0 ? "" : "\(counted(whole, "epoch")) with each sample exactly once, \(outcome.redone) redone; "
        return
            "\(job.isCluster ? "" : "\(counted(workers, "worker")); ")\(deeds): same SHA-256; \(ledger)no process "
            + "left; \(decimal(lost, 1)) s lost"
    }
}
