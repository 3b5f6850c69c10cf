package import BERT
package import Checkpoints
package import Configuration
package import Console
internal import Files
internal import Foundation
internal import Kernels
package import Learning
internal import Processes
internal import Reports
internal import Telemetry
internal import Tensors
internal import TextData
internal import Wording

/// One run from inputs to summary, with any engine.
package struct TrainingRun {
    package let inputs: RunInputs
    package let folder: RunFolder
    package let display: RunDisplay
    package let stop: StopRequest
    /// The command that resumes it, for messages.
    package let resumeCommand: String
    private let invocation: Invocation
    private let started: ContinuousClock.Instant
    let recorder: FileRecorder
    /// The point from which a resumed run continues.
    private let resumption: ResumptionPoint?

    /// Whether an earlier run of a series has already described the data.
    private let isBrief: Bool
    private let hasWorkers: Bool

    /// Checks all input and locks the output folder; if it throws, the folder is unchanged.
    ///
    /// - Parameters:
    ///   - isBrief: whether an earlier run of a series has already described the data.
    ///   - role: a coordinator's workers may be those of an earlier one.
    package init(
        _ configuration: TrainingConfiguration, _ invocation: Invocation, stop: StopRequest, isBrief: Bool = false,
        role: RunRole = .alone
    ) throws {
        started = .now
        self.invocation = invocation
        resumeCommand = invocation.resumeCommand ?? invocation.resuming(configuration)
        (self.isBrief, hasWorkers) = (isBrief, role != .alone)
        Screen.shared.use(configuration.progress)
        self.stop = stop
        try configuration.blas.use(threads: configuration.threads)
        inputs = try RunInputs(configuration, role: role)
        folder = try RunFolder(
            configuration.output, resuming: configuration.resume, neededBytes: 2 * inputs.checkpointBytes,
            largestFile: inputs.weightBytes)
        resumption = configuration.resume ? try ResumptionPoint(inputs, hasWorkers: hasWorkers) : nil
        display = RunDisplay()
        display.open(configuration.output + "/log.txt")
        recorder = FileRecorder(inputs, folder: folder, display: display)
        if let shortage = folder.shortage {
            display.say("\(folder.path) has \(shortage): make room; until then checkpoints fail")
        }
    }

    /// The model as the step before the first one trained it, to which the initial state belongs.
    package var firstModel: BERTModel {
        get throws { try inputs.model(ofStep: savedStep) }
    }

    /// Step of the checkpoint from which the run resumes; 0 for none.
    package var savedStep: Int { resumption?.savedStep ?? 0 }

    /// The journal of the run's coordinator with steps beyond the newest checkpoint; nil if the run cannot resume from
    /// there.
    package var history: JournalHistory? { resumption?.history }

    /// The newest step after which workers may have the state to resume from: beyond it there is an evaluation, or a
    /// best model, that the earlier coordinator made and its journal lost.
    package func newestUsableStep(after progress: RunProgress) -> Int {
        var newest = inputs.plan.totalSteps
        for (split, evaluated) in [
            (Split.validation, progress.evaluatedStep), (.sourceValidation, progress.evaluatedSourceStep),
        ]
        where inputs.datasets[split] != nil {
            newest = min(newest, ((evaluated ?? 0) / inputs.plan.stepsPerEpoch + 1) * inputs.plan.stepsPerEpoch)
        }
        if let best = progress.bestStep, best != progress.keptBestStep { newest = min(newest, best) }
        return max(newest, progress.step)
    }

    /// The point where the run begins: the start, its newest complete checkpoint, or the end of its journal.
    ///
    /// - Parameter replica: receives the checkpoint's state.
    package func begin(_ replica: Replica) throws -> RunProgress {
        if !isBrief { for note in inputs.dataNotes { display.say(note) } }
        // As soon as the folder belongs to this run: if this process ends from here on, --resume continues the run.
        if resumption == nil { try saveOptions() }
        if let found = resumption?.found { _ = try StateFiles.read(found.path, into: replica) }
        for note in inputs.notes { display.say(note) }
        if !isBrief {
            for doubt in [inputs.model.precision.doubt, Arithmetic.doubt].compactMap({ $0 }) { display.say(doubt) }
        }
        if !isBrief, !hasWorkers, let doubt = ProcessorCount.doubt(threads: inputs.configuration.threads) {
            display.say(doubt)
        }
        guard let resumption else {
            try tellBeginning()
            return RunProgress()
        }
        let progress = try resume(resumption)
        if progress.step == 0 { try tellBeginning() }
        try saveOptions()
        return progress
    }

    /// Reports the initial parameters, and lists them in a file if there are too many.
    private func tellBeginning() throws {
        if inputs.needsParametersFile {
            try folder.replace(RunInputs.parametersFile, with: Array(inputs.parametersTable.utf8))
        }
        for note in inputs.beginningNotes { display.say(note) }
    }

    /// Saves what a resumed run needs to know. Existing files are kept: a full disk has no room to write them again.
    private func saveOptions() throws {
        var saved = inputs.configuration
        saved.resume = false
        let path = ConfigurationFile.path(inRun: folder.path)
        let text = try ConfigurationFile.text(saved)
        guard (try? FileSystem.read(path)).map({ $0.elementsEqual(text.utf8) }) != true else { return }
        try ConfigurationFile.write(saved, to: path)
        if !inputs.heldOut.isEmpty {
            let lines = inputs.heldOut.map { "\($0)\n" }.joined()
            try folder.replace("validation-lines.txt", with: Array(lines.utf8))
        }
    }

    private func resume(_ resumption: ResumptionPoint) throws -> RunProgress {
        if resumption.isFinished { return resumption.progress }
        for line in resumption.notes { display.say(line) }
        let progress = resumption.progress
        if let departure = progress.departure {
            display.say(
                "bits may differ from those of a run of \(counted(inputs.plan.totalSteps, "step")) from the start: "
                    + "\(departure)"
            )
        }
        if history == nil { sayLost(try trimMetrics(to: progress, nil), until: progress.step, "since they were made") }
        if progress.step > 0 {
            display.say(
                "resuming after step \(progress.step) of "
                    + "\(inputs.plan.totalSteps)\(progress.step > savedStep ? ", the journal's newest" : "")"
            )
        }
        return progress
    }

    /// Runs to the end, or to a signal.
    /// - Parameters:
    ///   - engine: computes the steps, from the state that `progress` describes.
    ///   - history: the journal of an earlier coordinator of this run.
    package func run(
        _ engine: any StepEngine, from begin: RunProgress, after history: JournalHistory? = nil
    ) async throws {
        var progress = begin
        var throughput = Throughput()
        let alreadyDone = progress.step >= inputs.plan.totalSteps || progress.stoppedEarly == true
        if alreadyDone && FileManager.default.fileExists(atPath: folder.path + "/summary.json") {
            let longer = resumption?.isFinished != true ? lengthened : "it kept no checkpoint to be made longer from"
            let advice = progress.stoppedEarly == true ? "--patience ended it" : longer
            recorder.removeSpareCheckpoints()
            display.say(
                "the run in \(folder.path) is finished (\(counted(progress.step, "step"))): nothing to do; \(advice)")
            return
        }
        let loop = TrainingLoop(
            plan: inputs.plan, schedule: inputs.schedule, engine: engine, recorder: recorder, stop: stop,
            checkpointEvery: inputs.configuration.checkpointEvery, hasValidation: inputs.datasets[.validation] != nil,
            hasSourceValidation: inputs.datasets[.sourceValidation] != nil, metric: inputs.metric,
            patience: inputs.configuration.patience, evalEvery: inputs.configuration.evalEvery,
            scoredCounts: inputs.scoredCounts,
            stage: inputs.stage(ofEpoch:))
        defer {
            display.setRunning(false)
            recorder.endCurves()
        }
        do {
            noteStart(engine, after: progress.step)
            let beginning = try await engine.begin(after: progress.step)
            if let history { try takeOver(beginning, history, &progress) }
            display.say(inputs.trainedShare(fromStep: min(progress.step + 1, inputs.plan.totalSteps)))
            display.say(extent(engine))
            display.setRunning(true)
            recorder.beginCurves(after: progress.step, isResumed: resumption != nil)
            try await steps(loop, &progress, &throughput)
            display.setRunning(false)
            try await finish(engine, &progress, throughput)
        } catch let error as FileError {
            throw RunError("\(error); once that is repaired, resume with: \(resumeCommand)")
        }
    }

    /// The options whose values end the run where it ended.
    private var lengthened: String {
        let plan = inputs.plan
        let epochs = plan.epochs.steps(perEpoch: plan.stepsPerEpoch) == plan.totalSteps ? ["--epochs"] : []
        let steps = inputs.configuration.maxSteps == plan.totalSteps ? ["--max-steps"] : []
        let names = epochs + steps
        return "higher \(names.joined(separator: " and ")) \(names.count == 1 ? "makes" : "make") it longer"
    }

    private func steps(_ loop: TrainingLoop, _ progress: inout RunProgress, _ throughput: inout Throughput) async throws
    {
        switch try await loop.run(&progress, &throughput, saved: savedStep) {
        case .finished: return
        case .stopped(let signal, let isScored):
            let how = isScored ? "" : ", before it was scored"
            throw SignalStop(signal: signal, after: progress.step, how, resumeCommand: resumeCommand)
        case .failed(let step, let isSaved):
            let kept =
                isSaved
                ? "the weights before it are kept in \(folder.path)/checkpoints/step-\(progress.step)"
                : progress.step == 0 ? "it is the first step" : "THE WEIGHTS BEFORE IT ARE LOST, see the reason above"
            // No update was made yet that a lower learning rate would change.
            let remedy =
                progress.step == 0
                ? "check these samples, or choose another source model"
                : "lower the learning rate, set --max-grad-norm, or check these samples"
            throw RunError("\(step); \(kept): \(remedy)")
        }
    }

    /// The run's size and workers as text.
    private func extent(_ engine: any StepEngine) -> String {
        let plan = inputs.plan
        let threads = engine.fewestThreads == engine.threads ? "" : "\(engine.fewestThreads) to "
        return
            "\(counted(plan.totalSteps, "step")) of \(counted(plan.batchSize * plan.accumulate, "sample")), "
            + "\(counted(plan.laneCount, "lane")), "
            + "\(engine is SingleProcessEngine ? "1 process" : counted(engine.workers, "worker")) of "
            + "\(threads)\(counted(engine.threads, "thread"))"
            + (inputs.model.precision == .float32 ? "" : ", products in \(inputs.model.precision.rawValue)")
    }

    private func finish(
        _ engine: any StepEngine, _ progress: inout RunProgress, _ throughput: Throughput
    ) async throws {
        let state = try await engine.state()
        try recorder.exportModels(state, &progress)
        var test: EvaluationReport?
        if inputs.datasets[.test] != nil { test = try await scoreTest(engine, state, progress) }
        let digest = Digests.parameters(inputs.exportedTensors(state.parameters))
        let whole = wholeSpeed(until: progress.step)
        let summary = RunSummary(
            sourceModel: inputs.sourceModel,
            epochs: inputs.plan.epochs, steps: progress.step,
            samplesPerSecond: whole?.samples ?? throughput.samplesPerSecond,
            tokensPerSecond: whole?.tokens ?? throughput.tokensPerSecond,
            seconds: (ContinuousClock.now - started).seconds,
            trainingSeconds: whole?.seconds ?? throughput.allSeconds,
            peakResidentBytes: peakResidentBytes(), validation: progress.latest.map(RunSummary.Figures.init),
            bestValidation: progress.best.map(RunSummary.Figures.init), bestStep: progress.bestStep,
            stoppedEarly: progress.stoppedEarly, test: test.map(RunSummary.Figures.init),
            sourceValidation: progress.latestSource.map(RunSummary.Figures.init),
            parametersSHA256: digest, lanes: inputs.plan.laneCount, precision: inputs.model.precision,
            workers: engine.workers, threads: engine.threads,
            seed: inputs.configuration.seed, truncated: inputs.truncatedCount, data: inputs.statistics,
            command: invocation.command,
            reproduce: departure(progress) == nil ? reproducing : nil)
        try recorder.finishCards(progress, test: test, parameters: digest)
        try recorder.writeSummary(summary)
        recorder.removeSpareCheckpoints()
        writeReport()
        for line in results(progress) { display.say(line) }
        display.say(
            "\(throughput.text); \(decimal(summary.seconds, 1)) s in all\(whole == nil ? "" : ", by this process")")
        if let whole { display.say(whole.text) }
        display.say("parameters SHA-256 \(digest)")
        display.say(
            summary.reproduce.map { "the same bits elsewhere: \($0)" }
                ?? "no run from the start is known to have the same bits: \(departure(progress) ?? "")")
        let best = progress.best == nil ? "model" : "model-best"
        display.say("\(folder.path): \(invocation.program) predict --model \(shellQuoted(folder.path + "/" + best))")
    }

    /// Writes the run's report. A failure does not fail the run.
    private func writeReport() {
        do { try ReportPage.write([folder.path], withTexts: true, to: ReportPage.path(inRun: folder.path)) } catch {
            display.say(
                "NO REPORT: \(error); then write it with: \(invocation.program) report "
                    + shellQuoted(folder.path))
        }
    }

    /// The test data, scored once: with the best model if there is validation data, else with the last.
    private func scoreTest(_ engine: any StepEngine, _ state: TrainingState, _ progress: RunProgress) async throws
        -> EvaluationReport?
    {
        guard let dataset = inputs.datasets[.test] else { return nil }
        let scored = ScoredSamples()
        display.showWork("scoring the test data") { scored.share }
        let start = ContinuousClock.now
        var parameters = state.parameters
        if progress.best != nil {
            let folder = try ModelFolder(folder.path + "/model-best")
            parameters = try inputs.model.load(folder, keepsHead: true, seed: 0).parameters
        }
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: inputs.configuration.threads)
        let evaluated: Evaluated
        do {
            evaluated = try Evaluation.run(
                dataset, runner: runner, parameters: parameters.view, names: inputs.labels?.names,
                counting: scored, stop: stop)
        } catch {
            let how = ", before the test data were scored"
            throw SignalStop(signal: error.signal, after: progress.step, how, resumeCommand: resumeCommand)
        }
        let report = evaluated.report
        recorder.keepScores(
            evaluated, .test, step: progress.bestStep ?? progress.step, as: [progress.best == nil ? "last" : "best"])
        try recorder.record(
            EvaluationEvent(
                step: progress.bestStep ?? progress.step,
                epoch: inputs.plan.epoch(ofStep: max(1, progress.bestStep ?? progress.step)),
                split: .test,
                loss: report.loss, accuracy: report.accuracy, samples: report.samples, further: report.further,
                seconds: (ContinuousClock.now - start).seconds))
        display.setRunning(false)
        display.say(
            "test: \(report.line(inputs.metric)) over \(counted(report.samples, "sample")), "
                + (progress.best == nil ? "last model" : "best model"))
        return report
    }

    /// Why a run with these options from the start would end differently; nil if it would not.
    private func departure(_ progress: RunProgress) -> String? {
        if let departure = progress.departure { return departure }
        if let data = inputs.configuration.passingData { return "\(data) cannot be read again" }
        // A step that was the last one earlier, and was scored for that reason.
        guard let best = progress.bestStep, best % inputs.plan.stepsPerEpoch != 0, best < inputs.plan.totalSteps,
            inputs.configuration.evalEvery.map({ best % $0 != 0 }) ?? true
        else { return nil }
        return "the best model is that of step \(best), which was the last one earlier and was scored for that reason"
    }

    /// The command with the lanes that determine the bits; for a resumed run, one that does not need its state.
    private var reproducing: String {
        let (program, command) = (invocation.program, invocation.command)
        // The command of one process of several that were started by hand or by an engine cannot compute anything
        // alone.
        if resumption != nil || ["work", "coordinate"].contains(where: { command.hasPrefix("\(program) \($0)") }) {
            let saved = ConfigurationFile.path(inRun: folder.path)
            let assignment = BLAS.openBLAS.map { "\($0.assignment) " } ?? ""
            let train = "\(assignment)\(program) train --config \(shellQuoted(saved))"
            return "\(train) --output \(shellQuoted(folder.path + "-again"))"
        }
        let pinned = inputs.pinned(command)
        let whole = pinned.contains("--lanes") ? pinned : "\(pinned) --lanes \(inputs.plan.laneCount)"
        return (BLAS.openBLAS?.assignment).map { "\($0) \(whole)" } ?? whole
    }
}
