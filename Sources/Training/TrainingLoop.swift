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
    /// Tells the user news.
    func say(_ line: String)
    /// Tells the user of the end of an epoch.
    /// - Parameter isNews: whether something else than the epoch's number is new.
    func sayEpoch(_ line: String, isNews: Bool)
    /// Shows how far the run is.
    func show(_ step: ProgressMeter.Step)
    /// Shows what is done between two steps.
    func showWork(_ what: String)
    /// Saves everything needed to go on. A failure is said and does not end the run.
    func checkpoint(_ state: TrainingState, _ progress: RunProgress)
    /// Notes progress that no checkpoint holds yet.
    func note(_ progress: RunProgress)
    /// Keeps the state as the best one so far.
    func keepBest(_ state: TrainingState, _ progress: RunProgress) throws
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
    /// What an epoch trains that the one before it did not, in words.
    private let stage: (_ epoch: Int) -> String?

    package init(
        plan: TrainingPlan, schedule: LearningRateSchedule, engine: any StepEngine, recorder: any RunRecorder, stop: StopRequest,
        checkpointEvery: Int?, hasValidation: Bool, hasSourceValidation: Bool = false, metric: Measure? = nil, patience: Int? = nil,
        stage: @escaping (_ epoch: Int) -> String? = { _ in nil }
    ) {
        self.stage = stage
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
            try await endEpoch(&progress, EpochAccount())
            saved = progress.step
        } else if progress.isBest {
            // Or between the checkpoint and the best model, which comes after it.
            try recorder.keepBest(try await engine.state(), progress)
        }
        while progress.step < plan.totalSteps, progress.stoppedEarly != true {
            let epoch = plan.epoch(ofStep: progress.step + 1)
            let order = plan.order(ofEpoch: epoch)
            if let line = stage(epoch), (progress.step % plan.stepsPerEpoch) == 0 { recorder.say(line) }
            var account = EpochAccount()
            var upcoming: StepPlan?
            while progress.step < plan.totalSteps, plan.epoch(ofStep: progress.step + 1) == epoch {
                if let signal = stop.signal {
                    if saved != progress.step { recorder.checkpoint(try await engine.state(), progress) }
                    return .stopped(signal: signal)
                }
                let step = upcoming ?? plan.step(progress.step + 1, order: order)
                let isLast = step.step == plan.totalSteps || step.endsEpoch
                upcoming = isLast ? nil : plan.step(step.step + 1, order: order)
                try await take(step, next: upcoming, &throughput, &account)
                progress.step = step.step
                if let every = checkpointEvery, progress.step % every == 0, progress.step < plan.totalSteps, !step.endsEpoch {
                    recorder.checkpoint(try await engine.state(), progress)
                    saved = progress.step
                }
            }
            try await endEpoch(&progress, account)
            saved = progress.step
        }
        return .finished
    }

    private func endEpoch(_ progress: inout RunProgress, _ account: EpochAccount) async throws {
        let epoch = plan.epoch(ofStep: progress.step)
        var (figures, isBest, ending) = ([account.loss].compactMap { $0 }, false, String?.none)
        if hasValidation, progress.evaluatedStep != progress.step {
            let (words, found) = try await validate(epoch, &progress)
            figures.append(words + (found ? ", the best so far" : ""))
            isBest = found
            ending = endForWantOfBetter(&progress)
            recorder.note(progress)
        }
        if hasSourceValidation, progress.evaluatedSourceStep != progress.step { figures.append(try await validateSource(epoch, &progress)) }
        let line = ([figures.joined(separator: ", ")] + [account.samples].compactMap { $0 }).filter { !$0.isEmpty }.joined(separator: "; ")
        if !line.isEmpty { recorder.sayEpoch("epoch \(epoch)/\(plan.epochs): \(line)", isNews: isBest || account.isUnusual || epoch == plan.epochs) }
        if let ending { recorder.say(ending) }
        let state = try await engine.state()
        recorder.checkpoint(state, progress)
        if progress.isBest { try recorder.keepBest(state, progress) }
    }

    private func take(_ step: StepPlan, next: StepPlan?, _ throughput: inout Throughput, _ account: inout EpochAccount) async throws {
        let rate = schedule.rate(step: step.step)
        let clock = ContinuousClock()
        let start = clock.now
        let report = try await engine.run(step, next: next, learningRate: rate)
        let seconds = (clock.now - start).seconds
        let samples = step.sampleCount + (step.source?.sampleCount ?? 0)
        throughput.add(samples: samples, tokens: step.tokenCount + (step.source?.tokenCount ?? 0), seconds: seconds)
        let event = StepEvent(step, report, learningRate: rate, seconds: seconds)
        try recorder.record(event)
        account.add(step, event, samplesOfEpoch: report.samplesOfEpoch)
        recorder.show(
            ProgressMeter.Step(
                step: step.step, totalSteps: plan.totalSteps, epoch: step.epoch, epochs: plan.epochs, loss: event.loss, sourceLoss: event.sourceLoss,
                rate: rate, samples: samples, seconds: seconds, workers: max(1, report.shares.count)))
    }

    /// - Returns: the figures in words, and whether they are the best so far.
    private func validate(_ epoch: Int, _ progress: inout RunProgress) async throws -> (words: String, isBest: Bool) {
        recorder.showWork("epoch \(epoch)/\(plan.epochs)  scoring the validation data")
        let start = ContinuousClock.now
        let report = try await engine.evaluate(.validation)
        let seconds = (ContinuousClock.now - start).seconds
        try recorder.record(
            EvaluationEvent(
                step: progress.step, epoch: epoch, split: .validation, loss: report.loss, accuracy: report.accuracy,
                samples: report.samples, further: report.further, seconds: seconds))
        progress.latest = report
        progress.evaluatedEpochs = epoch
        progress.evaluatedStep = progress.step
        let isBest = progress.best.map { report.isBetter(than: $0, by: metric) } ?? true
        if isBest {
            progress.best = report
            progress.bestStep = progress.step
        }
        progress.evaluationsSinceBest = isBest ? 0 : (progress.evaluationsSinceBest ?? 0) + 1
        return ("validation \(report.line(metric))", isBest)
    }

    /// Ends the run where there was no better validation for too long.
    /// - Returns: what is to be said of it.
    private func endForWantOfBetter(_ progress: inout RunProgress) -> String? {
        let since = progress.evaluationsSinceBest ?? 0
        guard let patience, let report = progress.latest, since >= patience, progress.step < plan.totalSteps else { return nil }
        progress.stoppedEarly = true
        return "stopped early: no better \((metric ?? .usual(report)).rawValue) in \(since) \(since == 1 ? "epoch" : "epochs"), "
            + "the best was after step \(progress.bestStep ?? 0)"
    }
}

extension TrainingLoop {
    /// The source task's figures in words; which model is the best one is for the target task to say.
    private func validateSource(_ epoch: Int, _ progress: inout RunProgress) async throws -> String {
        recorder.showWork("epoch \(epoch)/\(plan.epochs)  scoring the source task's validation data")
        let start = ContinuousClock.now
        let report = try await engine.evaluate(.sourceValidation)
        try recorder.record(
            EvaluationEvent(
                step: progress.step, epoch: epoch, split: .sourceValidation, loss: report.loss, accuracy: report.accuracy,
                samples: report.samples, further: report.further, seconds: (ContinuousClock.now - start).seconds))
        progress.latestSource = report
        progress.evaluatedSourceStep = progress.step
        recorder.note(progress)
        return "source validation \(report.line(nil))"
    }
}

/// What the steps of an epoch came to, as far as this process computed them.
private struct EpochAccount {
    private var steps = 0
    private var lossSum = 0.0
    private var sourceLossSum: Double?
    /// What became of the epoch's samples, where workers computed them.
    private(set) var samples: String?
    /// Whether samples were computed again or missed.
    private(set) var isUnusual = false

    mutating func add(_ step: StepPlan, _ event: StepEvent, samplesOfEpoch: SampleAccount?) {
        steps += 1
        lossSum += event.loss
        if let loss = event.sourceLoss { sourceLossSum = (sourceLossSum ?? 0) + loss }
        guard let samplesOfEpoch else { return }
        samples = samplesOfEpoch.text
        isUnusual = samplesOfEpoch.isUnusual
    }

    /// Mean over the steps; nil where there were none.
    var loss: String? {
        guard steps > 0 else { return nil }
        let source = sourceLossSum.map { ", source \(decimal($0 / Double(steps), 4))" } ?? ""
        return "loss \(decimal(lossSum / Double(steps), 4))\(source)"
    }
}

/// A number with a fixed count of decimals, the same in every locale.
package func decimal(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
