internal import Foundation

/// Where a run stands between two steps; a part of each checkpoint.
package struct RunProgress: Codable, Sendable, Equatable {
    /// Steps done.
    package var step = 0
    /// Best validation so far, and the step after which it was found.
    package var best: EvaluationReport?
    package var bestStep: Int?
    /// Validation after the newest evaluated epoch.
    package var latest: EvaluationReport?
    /// The same of the source task, where it has data of its own to be scored on.
    package var latestSource: EvaluationReport?
    /// Epochs whose validation is done.
    package var evaluatedEpochs = 0
    /// Evaluations since the best one; nil where there was none.
    package var evaluationsSinceBest: Int?
    /// Set where the run ended before its last step for want of a better validation.
    package var stoppedEarly: Bool?
    /// Step after which the newest validation was done.
    package var evaluatedStep: Int?
    /// The same of the source task.
    package var evaluatedSourceStep: Int?

    package init() {}

    /// Whether the best validation so far is that of the state after this step.
    var isBest: Bool { bestStep == step }
}

/// What the loop needs done with files and the terminal.
package protocol RunRecorder: AnyObject {
    func record(_ event: some MetricsEvent) throws
    func say(_ line: String)
    func showProgress(_ line: String)
    /// Saves everything needed to go on. A failure is said and does not end the run.
    func checkpoint(_ state: TrainingState, _ progress: RunProgress)
    /// Notes progress that no checkpoint holds yet.
    func note(_ progress: RunProgress)
    /// Keeps the scores of an evaluation. A failure is said and does not end the run.
    /// - Parameter isBest: whether they are those of the best model so far, too.
    func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool)
    /// Keeps the state as the best one so far.
    func keepBest(_ state: TrainingState) throws
}

/// The steps of a run in their order, with evaluation, checkpoints and reports between them.
package struct TrainingLoop {
    package let plan: TrainingPlan
    package let schedule: LearningRateSchedule
    package let engine: any StepEngine
    package let recorder: any RunRecorder
    package let stop: StopRequest
    /// Steps between checkpoints; nil: only after each epoch.
    package let checkpointEvery: Int?
    package let hasValidation: Bool
    /// Whether the source task has data of its own to be scored on.
    package let hasSourceValidation: Bool
    package let metric: Measure?
    /// Epochs without a better validation after which the loop ends.
    package let patience: Int?

    package init(
        plan: TrainingPlan, schedule: LearningRateSchedule, engine: any StepEngine, recorder: any RunRecorder, stop: StopRequest,
        checkpointEvery: Int?, hasValidation: Bool, hasSourceValidation: Bool = false, metric: Measure? = nil, patience: Int? = nil
    ) {
        self.plan = plan
        self.schedule = schedule
        self.engine = engine
        self.recorder = recorder
        self.stop = stop
        self.checkpointEvery = checkpointEvery
        self.hasValidation = hasValidation
        self.metric = metric
        self.patience = patience
        self.hasSourceValidation = hasSourceValidation
    }

    /// How the loop ended.
    package enum Outcome: Sendable, Equatable {
        case finished
        case stopped(signal: Int32)
    }

    /// Runs from `progress` to the last step or until a signal asks to stop, which leaves a checkpoint.
    /// - Parameter saved: the step of the newest checkpoint, 0 for none.
    package func run(_ progress: inout RunProgress, _ throughput: inout Throughput, saved: Int) async throws -> Outcome {
        var saved = saved
        if progress.step > 0, saved != progress.step, progress.step % plan.stepsPerEpoch == 0 || progress.step >= plan.totalSteps {
            // The process before this one ended between an epoch's last step and its checkpoint.
            try await endEpoch(&progress)
            saved = progress.step
        } else if progress.isBest {
            // Or between the checkpoint and the best model, which comes after it.
            try recorder.keepBest(try await engine.state())
        }
        while progress.step < plan.totalSteps, progress.stoppedEarly != true {
            let epoch = plan.epoch(ofStep: progress.step + 1)
            let order = plan.order(ofEpoch: epoch)
            var display = ProgressDisplay(plan: plan)
            var upcoming: StepPlan?
            while progress.step < plan.totalSteps, plan.epoch(ofStep: progress.step + 1) == epoch {
                if let signal = stop.signal {
                    if saved != progress.step { recorder.checkpoint(try await engine.state(), progress) }
                    return .stopped(signal: signal)
                }
                let step = upcoming ?? plan.step(progress.step + 1, order: order)
                let isLast = step.step == plan.totalSteps || step.endsEpoch
                upcoming = isLast ? nil : plan.step(step.step + 1, order: order)
                try await take(step, next: upcoming, &throughput, &display)
                progress.step = step.step
                if let every = checkpointEvery, progress.step % every == 0, progress.step < plan.totalSteps, !step.endsEpoch {
                    recorder.checkpoint(try await engine.state(), progress)
                    saved = progress.step
                }
            }
            try await endEpoch(&progress)
            saved = progress.step
        }
        return .finished
    }

    private func endEpoch(_ progress: inout RunProgress) async throws {
        let epoch = plan.epoch(ofStep: progress.step)
        if hasValidation, progress.evaluatedStep != progress.step { try await validate(epoch, &progress) }
        if hasSourceValidation, progress.evaluatedSourceStep != progress.step { try await validateSource(epoch, &progress) }
        let state = try await engine.state()
        recorder.checkpoint(state, progress)
        if progress.isBest { try recorder.keepBest(state) }
    }

    private func take(_ step: StepPlan, next: StepPlan?, _ throughput: inout Throughput, _ display: inout ProgressDisplay) async throws {
        let rate = schedule.rate(step: step.step)
        let clock = ContinuousClock()
        let start = clock.now
        let report = try await engine.run(step, next: next, learningRate: rate)
        let seconds = (clock.now - start).seconds
        throughput.add(
            samples: step.sampleCount + (step.source?.sampleCount ?? 0), tokens: step.tokenCount + (step.source?.tokenCount ?? 0), seconds: seconds)
        let event = StepEvent(step, report, learningRate: rate, seconds: seconds)
        try recorder.record(event)
        display.add(step, loss: event.loss, sourceLoss: event.sourceLoss, seconds: seconds)
        if let line = display.line(step, rate: rate) { recorder.showProgress(line) }
    }

    private func validate(_ epoch: Int, _ progress: inout RunProgress) async throws {
        let start = ContinuousClock.now
        let evaluated = try await engine.evaluate(.validation)
        let report = evaluated.report
        let seconds = (ContinuousClock.now - start).seconds
        try recorder.record(
            EvaluationEvent(
                step: progress.step, epoch: epoch, split: .validation, loss: report.loss, accuracy: report.accuracy,
                samples: report.samples, further: report.further, seconds: seconds))
        progress.latest = report
        progress.evaluatedEpochs = epoch
        progress.evaluatedStep = progress.step
        let isBest = progress.best.map { report.isBetter(than: $0, by: metric) } ?? true
        let figures = report.line(metric)
        recorder.say("epoch \(epoch)/\(plan.epochs): validation \(figures) over \(report.samples) samples\(isBest ? ", the best so far" : "")")
        if isBest {
            progress.best = report
            progress.bestStep = progress.step
        }
        recorder.keepScores(evaluated, .validation, progress, isBest: isBest)
        let since = isBest ? 0 : (progress.evaluationsSinceBest ?? 0) + 1
        progress.evaluationsSinceBest = since
        if let patience, since >= patience, progress.step < plan.totalSteps {
            progress.stoppedEarly = true
            recorder.say(
                "stopped early: no better \((metric ?? .usual(report)).rawValue) in \(since) \(since == 1 ? "epoch" : "epochs"), "
                    + "the best was after step \(progress.bestStep ?? 0)")
        }
        recorder.note(progress)
    }
}

extension TrainingLoop {
    /// The source task's figures; which model is the best one is for the target task to say.
    private func validateSource(_ epoch: Int, _ progress: inout RunProgress) async throws {
        let start = ContinuousClock.now
        let evaluated = try await engine.evaluate(.sourceValidation)
        let report = evaluated.report
        try recorder.record(
            EvaluationEvent(
                step: progress.step, epoch: epoch, split: .sourceValidation, loss: report.loss, accuracy: report.accuracy,
                samples: report.samples, further: report.further, seconds: (ContinuousClock.now - start).seconds))
        progress.latestSource = report
        progress.evaluatedSourceStep = progress.step
        recorder.keepScores(evaluated, .sourceValidation, progress, isBest: false)
        recorder.say("epoch \(epoch)/\(plan.epochs): source validation \(report.line(nil)) over \(report.samples) samples")
        recorder.note(progress)
    }
}

/// A number with a fixed count of decimals, the same in every locale.
package func decimal(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }

/// What the progress line shows: figures over the steps since the last line.
struct ProgressDisplay {
    let plan: TrainingPlan
    private var lossSum = 0.0
    private var sourceLossSum: Double?
    private var steps = 0
    private var samples = 0
    private var seconds = 0.0

    init(plan: TrainingPlan) { self.plan = plan }

    mutating func add(_ step: StepPlan, loss: Double, sourceLoss: Double?, seconds: Double) {
        lossSum += loss
        if let sourceLoss { sourceLossSum = (sourceLossSum ?? 0) + sourceLoss }
        steps += 1
        samples += step.sampleCount + (step.source?.sampleCount ?? 0)
        self.seconds += seconds
    }

    /// A line every second of work and at the end of an epoch.
    mutating func line(_ step: StepPlan, rate: Double) -> String? {
        guard seconds >= 1 || step.endsEpoch || step.step == plan.totalSteps else { return nil }
        let speed = Double(samples) / max(seconds, 1e-9)
        let remaining = Double(plan.totalSteps - step.step) * seconds / Double(max(1, steps))
        let source = sourceLossSum.map { "source \(decimal($0 / Double(steps), 4))  " } ?? ""
        defer { (lossSum, sourceLossSum, steps, samples, seconds) = (0, nil, 0, 0, 0) }
        return "epoch \(step.epoch)/\(plan.epochs)  step \(step.step)/\(plan.totalSteps)  loss \(decimal(lossSum / Double(steps), 4))  \(source)"
            + "rate \(String(format: "%.2e", rate))  \(decimal(speed, 1)) samples/s  \(Self.clock(remaining)) left"
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        return whole >= 3_600 ? String(format: "%d:%02d:%02d", whole / 3_600, whole / 60 % 60, whole % 60) : String(format: "%d:%02d", whole / 60, whole % 60)
    }
}
