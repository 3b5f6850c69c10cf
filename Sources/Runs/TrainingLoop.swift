package import Console
internal import Foundation
package import Learning
package import Telemetry
internal import Wording

/// The progress of a run between two steps; a part of each checkpoint.
package struct RunProgress: Codable, Sendable, Equatable {
    /// Steps done.
    package var step = 0
    /// Best validation so far, and the step after which it was found.
    package var best: EvaluationReport?
    package var bestStep: Int?
    /// Step of the model saved as the best one; lags behind `bestStep` until that one is on the disk.
    package var keptBestStep: Int?
    /// Validation after the newest evaluated epoch.
    package var latest: EvaluationReport?
    /// The same of the source task, if it has its own data to score.
    package var latestSource: EvaluationReport?
    /// Epochs whose validation is done.
    package var evaluatedEpochs = 0
    /// Evaluations since the best one; nil if there was none.
    package var evaluationsSinceBest: Int?
    /// Set if the run ended before its last step because validation did not improve.
    package var stoppedEarly: Bool?
    /// Step after which the newest validation was done.
    package var evaluatedStep: Int?
    /// The same of the source task.
    package var evaluatedSourceStep: Int?
    /// Why a run of the same options from the start would have different bits; nil: it has the same.
    package var departure: String?

    package init() {}

    /// Whether the best validation so far belongs to the state after this step.
    var isBest: Bool { bestStep == step }
}

/// The loop's interface to files and the terminal.
package protocol RunRecorder: AnyObject {
    func record(_ event: some MetricsEvent) throws
    /// Reports news to the user.
    func say(_ line: String)
    /// Reports the end of an epoch to the user.
    /// - Parameter isNews: whether something else than the epoch's number is new.
    func sayEpoch(_ line: String, isNews: Bool)
    /// Shows the progress of the run.
    func show(_ step: ProgressMeter.Step)
    /// Shows work between two steps.
    /// - Parameter share: how much of it is done, from 0 to 1; may be asked by any thread until other work is shown.
    func showWork(_ what: String, share: (@Sendable () -> Double)?)
    /// Saves everything needed to resume. A failure is reported and does not end the run.
    /// - Returns: whether it is on the disk.
    func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool
    /// Records progress that no checkpoint contains yet.
    func note(_ progress: RunProgress)
    /// Keeps the scores of an evaluation. A failure is reported and does not end the run.
    /// - Parameter isBest: whether they also belong to the best model so far.
    func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool)
    /// Keeps the state as the best one so far. A failure is reported and does not end the run: it is retried before
    /// each checkpoint.
    func keepBest(_ state: TrainingState, _ progress: inout RunProgress)
}

/// The steps of a run in order, with evaluation, checkpoints and reports between them.
package struct TrainingLoop {
    package let plan: TrainingPlan
    package let schedule: LearningRateSchedule
    package let engine: any StepEngine
    package let recorder: any RunRecorder
    package let stop: StopRequest
    /// Steps between checkpoints; nil: only after each epoch.
    package let checkpointEvery: Int?
    package let hasValidation: Bool
    /// Whether the source task has its own data to score.
    package let hasSourceValidation: Bool
    package let metric: Measure?
    /// Evaluations without improvement after which the loop ends.
    package let patience: Int?
    /// Steps between evaluations within an epoch; nil: only after each epoch.
    package let evalEvery: Int?
    /// The steps after which data are scored.
    private let evaluations: EvaluationSteps
    /// Samples of an evaluation, and those scored once at the end.
    private let scoredCounts: (each: Int, end: Int)
    private let scoring = ScoringPace()
    /// The parts that an epoch trains in addition, as text.
    private let stage: (_ epoch: Int) -> String?

    package init(
        plan: TrainingPlan, schedule: LearningRateSchedule, engine: any StepEngine, recorder: any RunRecorder,
        stop: StopRequest,
        checkpointEvery: Int?, hasValidation: Bool, hasSourceValidation: Bool = false, metric: Measure? = nil,
        patience: Int? = nil, evalEvery: Int? = nil, scoredCounts: (each: Int, end: Int) = (0, 0),
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
        self.evalEvery = evalEvery
        self.scoredCounts = scoredCounts
        evaluations = EvaluationSteps(plan, every: evalEvery)
        self.hasSourceValidation = hasSourceValidation
    }

    /// How the loop ended.
    package enum Outcome: Sendable, Equatable {
        case finished
        /// - Parameter isScored: whether all evaluations after the last step are done.
        case stopped(signal: Int32, isScored: Bool = true)
        /// Ended before a step that cannot be computed.
        /// - Parameter isSaved: whether a checkpoint has the state.
        case failed(NonFiniteStep, isSaved: Bool)
    }

    /// Runs from `progress` to the last step or until a signal requests a stop, which writes a checkpoint.
    /// - Parameter saved: the step of the newest checkpoint, 0 for none.
    package func run(_ progress: inout RunProgress, _ throughput: inout Throughput, saved: Int) async throws -> Outcome
    {
        var saved = saved
        do { return try await steps(&progress, &throughput, saved: &saved) } catch let stopped as StoppedBetweenSteps {
            if saved != progress.step { _ = recorder.checkpoint(try await engine.state(), &progress) }
            return .stopped(
                signal: stopped.signal, isScored: !(evaluations.contains(progress.step) && lacksEvaluation(progress)))
        }
    }

    private func steps(_ progress: inout RunProgress, _ throughput: inout Throughput, saved: inout Int) async throws
        -> Outcome
    {
        if evaluations.isEnd(progress.step), saved != progress.step || lacksEvaluation(progress) {
            // The process before this one ended between an epoch's last step and its checkpoint, or its evaluation.
            if try await endEpoch(&progress, EpochAccount()) { saved = progress.step }
        } else if evaluations.isWithin(progress.step), lacksEvaluation(progress) {
            // Or between a step and the evaluation after it.
            try await evaluate(&progress, saved: &saved)
        } else if progress.isBest {
            // Or between the checkpoint and the best model, which comes after it.
            recorder.keepBest(try await engine.state(), &progress)
        }
        if progress.stoppedEarly == true, saved != progress.step {
            // Or between the evaluation that ended the run and the checkpoint after it.
            if try await endEpoch(&progress, EpochAccount()) { saved = progress.step }
        }
        while progress.step < plan.totalSteps, progress.stoppedEarly != true {
            let epoch = plan.epoch(ofStep: progress.step + 1)
            let order = plan.order(ofEpoch: epoch)
            if let line = stage(epoch), progress.step % plan.stepsPerEpoch == 0 { recorder.say(line) }
            var account = EpochAccount()
            var upcoming: StepPlan?
            while progress.step < plan.totalSteps, plan.epoch(ofStep: progress.step + 1) == epoch {
                if let signal = stop.signal {
                    if saved != progress.step { _ = recorder.checkpoint(try await engine.state(), &progress) }
                    return .stopped(signal: signal, isScored: true)
                }
                let step = upcoming ?? plan.step(progress.step + 1, order: order)
                let isLast = step.step == plan.totalSteps || step.endsEpoch
                let isFollowed = !isLast && evaluations.isWithin(step.step)
                upcoming = isLast || isFollowed ? nil : plan.step(step.step + 1, order: order)
                do { try await take(step, next: upcoming, &throughput, &account) } catch let failed as NonFiniteStep {
                    var isSaved = saved == progress.step
                    if !isSaved, progress.step > 0 {
                        isSaved = recorder.checkpoint(try await engine.state(), &progress)
                    }
                    return .failed(failed, isSaved: isSaved && progress.step > 0)
                }
                progress.step = step.step
                if isFollowed {
                    try await evaluate(&progress, saved: &saved)
                    if progress.stoppedEarly == true { break }
                }
                if let every = checkpointEvery, progress.step % every == 0, !isLast, saved != progress.step {
                    if recorder.checkpoint(try await engine.state(), &progress) { saved = progress.step }
                }
            }
            if try await endEpoch(&progress, account) { saved = progress.step }
        }
        return .finished
    }

    private func lacksEvaluation(_ progress: RunProgress) -> Bool {
        (hasValidation && progress.evaluatedStep != progress.step)
            || (hasSourceValidation && progress.evaluatedSourceStep != progress.step)
    }

    /// An evaluation within an epoch. If it finds the best model so far, a checkpoint is written: both belong together.
    private func evaluate(_ progress: inout RunProgress, saved: inout Int) async throws {
        let epoch = plan.epoch(ofStep: progress.step)
        try await score(epoch, &progress, EpochAccount(), isNews: true)
        guard progress.isBest else { return }
        let state = try await engine.state()
        if recorder.checkpoint(state, &progress) { saved = progress.step }
        recorder.keepBest(state, &progress)
    }

    /// The position of an evaluation, for messages.
    private func place(_ epoch: Int, _ step: Int) -> String {
        let name = "epoch \(epoch)/\(plan.begunEpochs)"
        return evaluations.isEnd(step) ? name : "\(name), step \(step)"
    }

    /// Scores, saves, and keeps the best model.
    /// - Returns: whether the checkpoint is on the disk.
    private func endEpoch(_ progress: inout RunProgress, _ account: EpochAccount) async throws -> Bool {
        let epoch = plan.epoch(ofStep: progress.step)
        try await score(epoch, &progress, account, isNews: account.isUnusual || epoch == plan.begunEpochs)
        recorder.showWork("\(place(epoch, progress.step))  writing a checkpoint")
        let state = try await engine.state()
        let isSaved = recorder.checkpoint(state, &progress)
        if progress.isBest { recorder.keepBest(state, &progress) }
        return isSaved
    }

    /// Scores the data due now, and reports the results and the preceding steps in one line.
    private func score(
        _ epoch: Int, _ progress: inout RunProgress, _ account: EpochAccount, isNews: Bool
    ) async throws {
        var (figures, ending) = ([account.loss].compactMap { $0 }, String?.none)
        if hasValidation, progress.evaluatedStep != progress.step {
            let (words, found) = try await validate(epoch, &progress)
            figures.append(words + (found ? ", the best so far" : ""))
            ending = endForWantOfBetter(&progress)
            recorder.note(progress)
        }
        if hasSourceValidation, progress.evaluatedSourceStep != progress.step {
            figures.append(try await validateSource(epoch, &progress))
        }
        let parts = [figures.joined(separator: ", ")] + [account.samples].compactMap { $0 }
        let line = parts.filter { !$0.isEmpty }.joined(separator: "; ")
        if !line.isEmpty { recorder.sayEpoch("\(place(epoch, progress.step)): \(line)", isNews: isNews) }
        if let ending { recorder.say(ending) }
    }

    private func take(_ step: StepPlan, next: StepPlan?, _ throughput: inout Throughput, _ account: inout EpochAccount)
        async throws
    {
        let rate = schedule.rate(step: step.step)
        let clock = ContinuousClock()
        let start = clock.now
        let report = try await engine.run(step, next: next, learningRate: rate)
        let seconds = (clock.now - start).seconds
        let recomputed = report.recomputed
        let samples = step.sampleCount + (step.source?.sampleCount ?? 0) + recomputed.samples
        let tokens = step.tokenCount + (step.source?.tokenCount ?? 0) + recomputed.tokens
        throughput.add(samples: samples, tokens: tokens, seconds: seconds, recomputed: recomputed.steps)
        let event = StepEvent(step, report, learningRate: rate, seconds: seconds)
        try recorder.record(event)
        account.add(step, event, samplesOfEpoch: report.samplesOfEpoch)
        recorder.show(
            ProgressMeter.Step(
                step: step.step, totalSteps: plan.totalSteps, epoch: step.epoch, epochs: plan.begunEpochs,
                loss: event.loss, sourceLoss: event.sourceLoss,
                rate: rate, samples: samples, seconds: seconds, workers: max(1, report.shares.count),
                unscored: evaluations.count(from: step.step) * scoredCounts.each + scoredCounts.end,
                scoringSpeed: scoring.samplesPerSecond))
    }

    /// - Returns: the figures as text, and whether they are the best so far.
    private func validate(_ epoch: Int, _ progress: inout RunProgress) async throws -> (words: String, isBest: Bool) {
        let start = ContinuousClock.now
        let evaluated = try await score(.validation, "validation data", epoch, progress)
        let report = evaluated.report
        let seconds = (ContinuousClock.now - start).seconds
        scoring.add(samples: report.samples, seconds: seconds)
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
        recorder.keepScores(evaluated, .validation, progress, isBest: isBest)
        progress.evaluationsSinceBest = isBest ? 0 : (progress.evaluationsSinceBest ?? 0) + 1
        return ("validation \(report.line(metric))", isBest)
    }

    /// Ends the run if validation has not improved for too long.
    /// - Returns: the message.
    private func endForWantOfBetter(_ progress: inout RunProgress) -> String? {
        let since = progress.evaluationsSinceBest ?? 0
        guard let patience, let report = progress.latest, since >= patience, progress.step < plan.totalSteps else {
            return nil
        }
        progress.stoppedEarly = true
        return "stopped early: no better \((metric ?? .usual(report)).rawValue) in "
            + "\(counted(since, evalEvery == nil ? "epoch" : "evaluation")), the best was after step "
            + "\(progress.bestStep ?? 0)"
    }
}

extension TrainingLoop {
    /// The source task's figures as text; only the target task selects the best model.
    private func validateSource(_ epoch: Int, _ progress: inout RunProgress) async throws -> String {
        let start = ContinuousClock.now
        let evaluated = try await score(.sourceValidation, "source task's validation data", epoch, progress)
        let report = evaluated.report
        let seconds = (ContinuousClock.now - start).seconds
        scoring.add(samples: report.samples, seconds: seconds)
        try recorder.record(
            EvaluationEvent(
                step: progress.step, epoch: epoch, split: .sourceValidation, loss: report.loss,
                accuracy: report.accuracy, samples: report.samples, further: report.further, seconds: seconds))
        progress.latestSource = report
        progress.evaluatedSourceStep = progress.step
        recorder.keepScores(evaluated, .sourceValidation, progress, isBest: false)
        recorder.note(progress)
        return "source validation \(report.line(nil))"
    }
}

extension TrainingLoop {
    /// Scores a dataset, and shows how much of it is done.
    private func score(_ split: Split, _ name: String, _ epoch: Int, _ progress: RunProgress) async throws -> Evaluated
    {
        let scored = ScoredSamples()
        recorder.showWork("\(place(epoch, progress.step))  scoring the \(name)") { scored.share }
        return try await engine.evaluate(split, counting: scored)
    }
}

extension RunRecorder {
    func showWork(_ what: String) { showWork(what, share: nil) }
}

/// How fast the evaluations of this process were.
private final class ScoringPace {
    private var samples = 0.0
    private var seconds = 0.0

    func add(samples count: Int, seconds time: Double) {
        samples += Double(count)
        seconds += time
    }

    /// Nil before the first one.
    var samplesPerSecond: Double? { seconds > 0 ? samples / seconds : nil }
}

/// Totals of an epoch's steps, as far as this process computed them.
private struct EpochAccount {
    private var steps = 0
    private var lossSum = 0.0
    private var sourceLossSum: Double?
    /// The state of the epoch's samples, if workers computed them.
    private(set) var samples: String?
    /// Whether samples were recomputed or missed.
    private(set) var isUnusual = false

    mutating func add(_ step: StepPlan, _ event: StepEvent, samplesOfEpoch: SampleAccount?) {
        steps += 1
        lossSum += event.loss
        if let loss = event.sourceLoss { sourceLossSum = (sourceLossSum ?? 0) + loss }
        guard let samplesOfEpoch else { return }
        samples = samplesOfEpoch.text
        isUnusual = samplesOfEpoch.isUnusual
    }

    /// Mean over the steps; nil if there were none.
    var loss: String? {
        guard steps > 0 else { return nil }
        let source = sourceLossSum.map { ", source \(decimal($0 / Double(steps), 4))" } ?? ""
        return "loss \(decimal(lossSum / Double(steps), 4))\(source)"
    }
}
