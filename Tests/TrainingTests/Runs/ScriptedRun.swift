import BERT
import Tensors

@testable import Console
@testable import Learning
@testable import Runs
@testable import Telemetry

/// What is on a run's disk: all that a process which begins again has.
struct ScriptedDisk: Equatable {
    /// Of the newest checkpoint.
    var checkpoint: RunProgress?
    /// The journal since then: committed steps, and the newest progress that was noted.
    var committed = 0
    var noted: RunProgress?
    /// Lines of the metrics: `step 3`, `validation 3`.
    var metrics: [String] = []
    /// The step of the model that is kept as the best.
    var best: Int?
    /// Said at the ends of epochs and of the run.
    var said: [String] = []
}

/// The process ended here.
struct ScriptedEnd: Error {}

/// The parts of a process that stops doing anything after some of its actions.
final class ScriptedRun: StepEngine, RunRecorder {
    let plan: TrainingPlan
    /// Losses of the validations, by step.
    let losses: [Double]
    /// Whether a journal keeps what no checkpoint has.
    let hasJournal: Bool
    var disk: ScriptedDisk
    /// Actions until the end of the process.
    private var rest: Int
    private(set) var actions = 0
    /// Whether an action was asked for after that.
    private(set) var hasEnded = false
    /// Requests a stop in this step, as a signal does.
    var stopsIn: Int?
    /// The step whose loss is not a number.
    var failsIn: Int?
    /// Steps whose checkpoints do not fit on the disk.
    var fullDisk: Set<Int> = []
    let stop = StopRequest()
    /// The step of the state.
    private var step = 0

    init(_ plan: TrainingPlan, losses: [Double], hasJournal: Bool, disk: ScriptedDisk, ends rest: Int = .max) {
        self.plan = plan
        self.losses = losses
        self.hasJournal = hasJournal
        self.disk = disk
        self.rest = rest
    }

    /// Whether the process still lives, after one more action.
    private func act() -> Bool {
        guard rest > 0 else {
            hasEnded = true
            return false
        }
        rest -= 1
        actions += 1
        return true
    }

    private func actOrEnd() throws { guard act() else { throw ScriptedEnd() } }

    // MARK: Engine

    var workers: Int { 1 }
    var threads: Int { 1 }
    var fewestThreads: Int { 1 }

    func begin(after step: Int) async throws -> RunBeginning {
        self.step = step
        return RunBeginning(step: step)
    }

    func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        precondition(plan.step == step + 1 && next.map { $0.step == step + 2 } ?? true, "steps in order")
        try actOrEnd()
        if plan.step == failsIn { throw NonFiniteStep(plan, lane: 0, origin: nil) }
        step = plan.step
        disk.committed = step
        if step == stopsIn { stop.request(15) }
        return StepReport(lossSum: Double(step), gradientNorm: 1)
    }

    func evaluate(_ split: Split, counting scored: ScoredSamples) async throws -> Evaluated {
        try actOrEnd()
        let loss = losses[step % losses.count]
        return Evaluated(
            report: EvaluationReport([ChunkScore(lossSum: loss, lossCount: 1, samples: 1)], .regression()), scores: nil)
    }

    func state() async throws -> TrainingState {
        try actOrEnd()
        let empty = FloatBuffer(count: 1)
        return TrainingState(parameters: empty, first: empty, second: empty, touched: TouchedRows(rows: 0))
    }

    // MARK: Recorder

    func record(_ event: some MetricsEvent) throws {
        try actOrEnd()
        if let step = event as? StepEvent { disk.metrics.append("step \(step.step)") }
        if let found = event as? EvaluationEvent { disk.metrics.append("\(found.split.rawValue) \(found.step)") }
    }

    func say(_ line: String) { if act() { disk.said.append(line) } }
    func sayEpoch(_ line: String, isNews: Bool) {}
    func show(_ step: ProgressMeter.Step) {}
    func showWork(_ what: String, share: (@Sendable () -> Double)?) {}
    func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool) {}

    func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool {
        guard act(), !fullDisk.contains(progress.step) else { return false }
        disk.checkpoint = progress
        (disk.noted, disk.committed) = (progress, progress.step)
        return true
    }

    func note(_ progress: RunProgress) { if act() { disk.noted = progress } }

    func keepBest(_ state: TrainingState, _ progress: inout RunProgress) {
        guard act() else { return }
        disk.best = progress.step
        progress.keptBestStep = progress.step
        note(progress)
    }
}

/// A run of few steps over scripted losses, through any number of processes.
struct ScriptedJob {
    var maxSteps: Int?
    var losses: [Double]
    var patience: Int?
    var evalEvery: Int?
    var checkpointEvery: Int?
    var hasValidation = true
    var hasJournal = false

    /// Four steps an epoch, the last one short.
    var plan: TrainingPlan {
        TrainingPlan(
            seed: 1, batchSize: 3, accumulate: 1, laneCount: 2, epochs: 3, maxSteps: maxSteps,
            lengths: (0..<10).map { 5 + $0 % 3 })
    }

    struct End {
        var outcome: TrainingLoop.Outcome?
        var progress: RunProgress
        var run: ScriptedRun
    }

    /// One process, from what is on the disk.
    func process(
        _ disk: ScriptedDisk = ScriptedDisk(), ends: Int = .max, _ change: (ScriptedRun) -> Void = { _ in }
    ) async throws -> End {
        var disk = disk
        var progress = disk.checkpoint ?? RunProgress()
        let saved = progress.step
        let noted = disk.noted ?? progress
        let hasBest = noted.bestStep == nil || [noted.keptBestStep, disk.committed].contains(noted.bestStep)
        if hasJournal, hasBest, disk.committed >= progress.step {
            progress = noted
            progress.step = disk.committed
        }
        disk.committed = progress.step
        disk.metrics = disk.trimmedMetrics(to: progress)
        let run = ScriptedRun(plan, losses: losses, hasJournal: hasJournal, disk: disk, ends: ends)
        change(run)
        _ = try await run.begin(after: progress.step)
        let loop = TrainingLoop(
            plan: plan, schedule: LearningRateSchedule(shape: .constant, peak: 1, warmupSteps: 0, totalSteps: 9),
            engine: run, recorder: run, stop: run.stop, checkpointEvery: checkpointEvery, hasValidation: hasValidation,
            metric: .loss, patience: patience, evalEvery: evalEvery)
        var throughput = Throughput()
        do {
            let outcome = try await loop.run(&progress, &throughput, saved: saved)
            return End(outcome: run.hasEnded ? nil : outcome, progress: progress, run: run)
        } catch is ScriptedEnd {
            return End(outcome: nil, progress: progress, run: run)
        }
    }
}

extension ScriptedDisk {
    /// The lines up to a point of the run, each step once, as a run that goes on keeps them.
    fileprivate func trimmedMetrics(to progress: RunProgress) -> [String] {
        var lines: [String] = []
        for line in metrics where !lines.contains(line) {
            let words = line.split(separator: " ")
            let limit = words[0] == "step" ? progress.step : progress.evaluatedStep ?? 0
            if Int(words[1]) ?? 0 <= min(limit, progress.step) { lines.append(line) }
        }
        // A committed step whose line was lost is written from the journal.
        for step in 1..<(progress.step + 1) where !lines.contains("step \(step)") { lines.append("step \(step)") }
        return lines
    }
}
