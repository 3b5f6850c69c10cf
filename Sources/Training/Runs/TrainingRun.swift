package import BERT
package import Checkpoints
internal import Foundation
internal import Kernels
internal import Tensors
internal import TextData

/// One run from inputs to summary, whoever computes its steps.
package struct TrainingRun {
    package let inputs: RunInputs
    package let folder: RunFolder
    package let display: RunDisplay
    package let stop: StopRequest
    private let started: ContinuousClock.Instant
    private let recorder: FileRecorder
    /// What a resumed run goes on from.
    private let resumption: Resumption?

    private struct Resumption {
        /// The newest whole checkpoint; nil: none.
        let found: CheckpointStore.Found?
        let passedOver: [CheckpointStore.PassedOver]
        /// Steps that the run was to have until now.
        let plannedSteps: Int
    }

    /// Whether a run before it in a series has told what the data are like.
    private let isBrief: Bool

    /// Checks all input and takes the output folder; when it throws, the folder is as it was.
    ///
    /// - Parameter isBrief: whether a run before it in a series has told what the data are like.
    package init(_ configuration: TrainingConfiguration, cores: Int, stop: StopRequest, isBrief: Bool = false) throws {
        started = .now
        self.isBrief = isBrief
        Screen.shared.use(configuration.progress)
        self.stop = stop
        inputs = try RunInputs(configuration, cores: cores)
        folder = try RunFolder(configuration.output, resuming: configuration.resume, neededBytes: 2 * inputs.checkpointBytes)
        resumption = configuration.resume ? try Self.resumption(inputs) : nil
        display = RunDisplay()
        display.open(configuration.output + "/log.txt")
        recorder = FileRecorder(inputs, folder: folder, display: display)
    }

    /// The model as the step before the first one trained it, which the state at the beginning belongs to.
    package var firstModel: BERTModel {
        get throws { try inputs.model(ofStep: resumption?.found.map { try StateFiles.record($0.path).progress.step } ?? 0) }
    }

    /// Step of the checkpoint from which the run goes on; 0 for none.
    package var savedStep: Int { resumption?.found?.step ?? 0 }

    /// What the journal of the run's coordinator tells of steps beyond the newest checkpoint; nil where the run cannot go on from there.
    package func history() throws -> JournalHistory? {
        guard let resumption, let history = try JournalHistory(file: RunJournal.path(inRun: folder.path)) else { return nil }
        guard history.reached >= savedStep, history.reached <= inputs.plan.totalSteps else { return nil }
        // Under another horizon a falling rate or a changing lambda gives the steps since the checkpoint other bits.
        let isConstant = inputs.configuration.schedule == .constant && (inputs.plan.source?.lambda.shape ?? .constant) == .constant
        guard isConstant || resumption.plannedSteps == inputs.plan.totalSteps else { return nil }
        return history
    }

    /// From now on the journal learns of checkpoints and evaluations.
    package func keep(_ journal: RunJournal) { recorder.journal = journal }

    /// Takes away the journal of a coordinator: from now on this process alone goes on with the run.
    package func forgetJournal() { try? FileManager.default.removeItem(atPath: RunJournal.path(inRun: folder.path)) }

    /// Where the run begins: at the start, at its newest whole checkpoint, or where its journal ends.
    ///
    /// - Parameters:
    ///   - replica: takes the checkpoint's state.
    ///   - history: what ``history()`` gave.
    package func begin(_ replica: Replica, after history: JournalHistory? = nil) throws -> RunProgress {
        if !isBrief { for note in inputs.dataNotes { display.say(note) } }
        for note in inputs.notes { display.say(note) }
        var progress = RunProgress()
        if let resumption { progress = try resume(resumption, replica, history) }
        if inputs.needsParametersFile { try folder.replace(RunInputs.parametersFile, with: Array(inputs.parametersTable.utf8)) }
        if progress.step == 0 { for note in inputs.beginningNotes { display.say(note) } }
        var saved = inputs.configuration
        saved.resume = false
        try ConfigurationFile.write(saved, to: ConfigurationFile.path(inRun: folder.path))
        return progress
    }

    private static func resumption(_ inputs: RunInputs) throws -> Resumption {
        let output = inputs.configuration.output
        let (found, passedOver) = CheckpointStore(folder: output + "/checkpoints").newestWhole()
        if let found { try check(StateFiles.record(found.path), of: found.path, inputs) }
        let saved = try ConfigurationFile.readSaved(ConfigurationFile.path(inRun: output), cores: 1)
        let planned = min(saved.maxSteps ?? .max, inputs.plan.stepsPerEpoch * saved.epochs)
        return Resumption(found: found, passedOver: passedOver, plannedSteps: planned)
    }

    /// Refuses to go on from a state that other lanes, another seed or other data led to.
    private static func check(_ record: StateFiles.Record, of path: String, _ inputs: RunInputs) throws(InputError) {
        guard record.lanes == inputs.plan.laneCount, record.seed == inputs.configuration.seed else {
            throw InputError(
                "\(path) has \(record.lanes) lanes and seed \(record.seed), config.yaml \(inputs.plan.laneCount) and "
                    + "\(inputs.configuration.seed): the two do not belong together")
        }
        for (name, digest) in record.data.sorted(by: { $0.key < $1.key }) where inputs.digests[name] != digest {
            throw InputError(
                "the \(name) data has changed since the run began (SHA-256 was \(digest.prefix(12))…, is "
                    + "\(inputs.digests[name]?.prefix(12) ?? "none")…): restore the file, or start a new run")
        }
    }

    private func resume(_ resumption: Resumption, _ replica: Replica, _ history: JournalHistory?) throws -> RunProgress {
        for checkpoint in resumption.passedOver { display.say("passed over \(checkpoint.name): \(checkpoint.reason)") }
        let lambda = inputs.plan.source?.lambda.shape ?? .constant
        let shape = inputs.configuration.schedule == .constant ? lambda : inputs.configuration.schedule
        if shape != .constant, resumption.plannedSteps != inputs.plan.totalSteps {
            display.say(
                "the run was to have \(resumption.plannedSteps) steps and now has \(inputs.plan.totalSteps): the \(shape.rawValue) "
                    + "schedule falls otherwise from here, so bits will differ from those of a run of \(inputs.plan.totalSteps) steps from the start"
            )
        }
        var progress = RunProgress()
        if let found = resumption.found {
            let record = try StateFiles.read(found.path, into: replica)
            if record.arithmetic != BLASInformation.description {
                display.say(
                    "computed so far with \(record.arithmetic), now with \(BLASInformation.description): "
                        + "bits may differ from an undisturbed run"
                )
            }
            progress = record.progress
        } else if history == nil {
            display.say("\(folder.path) has no whole checkpoint: starting from step 1")
        }
        if let history {
            progress = history.progress ?? progress
            progress.step = history.reached
            if history.droppedBytes > 0 { display.say("the journal's last \(history.droppedBytes) bytes were not written to their end and are dropped") }
        }
        if history == nil { try trimMetrics(to: progress, nil) }
        if progress.step > 0 {
            display.say("resuming after step \(progress.step) of \(inputs.plan.totalSteps)\(progress.step > savedStep ? ", the journal's newest" : "")")
        }
        return progress
    }

    /// Leaves in metrics.jsonl what came before `progress`, each step once; a step that only the journal tells of is added.
    /// - Returns: the steps that it tells of.
    @discardableResult
    private func trimMetrics(to progress: RunProgress, _ history: JournalHistory?) throws -> Set<Int> {
        var told: Set<Int> = []
        try folder.trimMetrics { event in
            let step = event["step"]?.integer ?? 0
            guard step <= progress.step else { return false }
            if event["event"]?.string == "step" { return told.insert(step).inserted }
            switch event["split"]?.string.flatMap(Split.init) {
            case .validation: return step <= progress.evaluatedStep ?? 0
            case .sourceValidation: return step <= progress.evaluatedSourceStep ?? 0
            default: return true
            }
        }
        for case .committed(let done) in history?.entries ?? [] where done.step <= progress.step && told.insert(done.step).inserted {
            let plan = inputs.plan.step(done.step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: done.step)))
            try recorder.record(event(plan, StepReport(done.commit), seconds: done.seconds))
        }
        return told
    }

    private func event(_ plan: StepPlan, _ report: StepReport, seconds: Double) -> StepEvent {
        StepEvent(plan, report, learningRate: inputs.schedule.rate(step: plan.step), seconds: seconds)
    }

    /// Takes over the steps of an earlier coordinator, also those that its journal lost and its workers have.
    private func takeOver(_ beginning: RunBeginning, _ history: JournalHistory, _ progress: inout RunProgress) throws {
        let known = progress.step
        progress.step = max(known, beginning.step)
        var told = try trimMetrics(to: progress, history)
        if let newest = beginning.newest, beginning.step > known, told.insert(beginning.step).inserted {
            let plan = inputs.plan.step(beginning.step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: beginning.step)))
            try recorder.record(event(plan, newest, seconds: 0))
        }
        let lost = (1..<(progress.step + 1)).filter { !told.contains($0) }
        if let first = lost.first { display.say("metrics.jsonl lost the lines of \(lost.count) steps from \(first) on with the earlier coordinator") }
    }

    /// Runs to the end, or to a signal.
    /// - Parameters:
    ///   - engine: computes the steps, from the state that `progress` describes.
    ///   - history: what an earlier coordinator of this run left behind.
    package func run(_ engine: any StepEngine, from begin: RunProgress, after history: JournalHistory? = nil, command: String) async throws {
        var progress = begin
        var throughput = Throughput()
        let alreadyDone = progress.step >= inputs.plan.totalSteps || progress.stoppedEarly == true
        if alreadyDone && FileManager.default.fileExists(atPath: folder.path + "/summary.json") {
            let advice = progress.stoppedEarly == true ? "--patience ended it" : "--epochs or --max-steps make it longer"
            display.say("the run in \(folder.path) is finished (\(progress.step) steps): nothing to do; \(advice)")
            return
        }
        let loop = TrainingLoop(
            plan: inputs.plan, schedule: inputs.schedule, engine: engine, recorder: recorder, stop: stop,
            checkpointEvery: inputs.configuration.checkpointEvery, hasValidation: inputs.datasets[.validation] != nil,
            hasSourceValidation: inputs.datasets[.sourceValidation] != nil, metric: inputs.configuration.metric,
            patience: inputs.configuration.patience, stage: inputs.stage(ofEpoch:))
        defer {
            display.setRunning(false)
            recorder.endCurves()
        }
        do {
            let beginning = try await engine.begin(after: progress.step)
            if let history { try takeOver(beginning, history, &progress) }
            display.say(inputs.trainedShare(fromStep: min(progress.step + 1, inputs.plan.totalSteps)))
            display.say(extent(engine))
            display.setRunning(true)
            recorder.beginCurves(after: progress.step, isResumed: resumption != nil)
            try await steps(loop, &progress, &throughput)
            display.setRunning(false)
            try await finish(engine, progress, throughput, command: command)
        } catch let error as FileError {
            throw RunError("\(error); make room or mend it, then go on with: \(resumeCommand)")
        }
    }

    private func steps(_ loop: TrainingLoop, _ progress: inout RunProgress, _ throughput: inout Throughput) async throws {
        let outcome = try await loop.run(&progress, &throughput, saved: savedStep)
        if case .stopped(let signal) = outcome {
            throw SignalStop(signal: signal, "stopped after step \(progress.step); go on with: \(resumeCommand)")
        }
    }

    private var resumeCommand: String { inputs.configuration.resumeCommand }

    /// How much there is to do and who does it, in words.
    private func extent(_ engine: any StepEngine) -> String {
        let plan = inputs.plan
        func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }
        let threads = engine.fewestThreads == engine.threads ? "" : "\(engine.fewestThreads) to "
        return "\(counted(plan.totalSteps, "step")) of \(counted(plan.batchSize * plan.accumulate, "sample")), \(counted(plan.laneCount, "lane")), "
            + "\(engine.workers == 1 ? "1 process" : "\(engine.workers) workers") of \(threads)\(counted(engine.threads, "thread"))"
    }

    private func finish(_ engine: any StepEngine, _ progress: RunProgress, _ throughput: Throughput, command: String) async throws {
        let state = try await engine.state()
        try recorder.export(state, progress, name: "model")
        var test: EvaluationReport?
        if inputs.datasets[.test] != nil { test = try await scoreTest(engine, state, progress) }
        let digest = Digests.parameters(inputs.exportedTensors(state.parameters))
        let summary = RunSummary(
            epochs: inputs.plan.epochs, steps: progress.step, samplesPerSecond: throughput.samplesPerSecond,
            tokensPerSecond: throughput.tokensPerSecond, seconds: (ContinuousClock.now - started).seconds, trainingSeconds: throughput.allSeconds,
            peakResidentBytes: peakResidentBytes(), validation: progress.latest.map(RunSummary.Figures.init),
            bestValidation: progress.best.map(RunSummary.Figures.init), bestStep: progress.bestStep,
            stoppedEarly: progress.stoppedEarly, test: test.map(RunSummary.Figures.init), sourceValidation: progress.latestSource.map(RunSummary.Figures.init),
            parametersSHA256: digest, lanes: inputs.plan.laneCount, workers: engine.workers, threads: engine.threads,
            seed: inputs.configuration.seed, truncated: inputs.truncatedCount, data: inputs.statistics, command: command,
            reproduce: reproducing(command))
        try recorder.finishCards(progress, test: test, parameters: digest)
        try recorder.writeSummary(summary)
        for line in results(progress) { display.say(line) }
        display.say("\(throughput.text); \(decimal(summary.seconds, 1)) s in all")
        display.say("parameters SHA-256 \(digest)")
        display.say("the same bits elsewhere: \(summary.reproduce)")
        let best = progress.best == nil ? "model" : "model-best"
        display.say("\(folder.path): \(programName) predict --model \(shellQuoted(folder.path + "/" + best))")
    }

    /// What the run has led to: its best epoch, where that is kept, and how the last one was.
    private func results(_ progress: RunProgress) -> [String] {
        guard let best = progress.best, let step = progress.bestStep else { return [] }
        let metric = inputs.configuration.metric
        func epoch(_ step: Int) -> String { "epoch \(inputs.plan.epoch(ofStep: max(1, step)))" }
        let first = "best: \(epoch(step)), validation \(best.line(metric)), in \(folder.path)/model-best"
        guard let last = progress.latest, let lastStep = progress.evaluatedStep, lastStep != step else { return [first + ", which is also the last"] }
        return [first, "last: \(epoch(lastStep)), validation \(last.line(metric)), in \(folder.path)/model"]
    }

    /// The test data, scored once: by the best model where there is validation, else by the last.
    private func scoreTest(_ engine: any StepEngine, _ state: TrainingState, _ progress: RunProgress) async throws -> EvaluationReport? {
        guard let dataset = inputs.datasets[.test] else { return nil }
        display.showWork("scoring the test data")
        let start = ContinuousClock.now
        var parameters = state.parameters
        if progress.best != nil {
            let folder = try ModelFolder(folder.path + "/model-best")
            parameters = try inputs.model.load(folder, keepsHead: true, seed: 0).parameters
        }
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: inputs.configuration.threads)
        let report = Evaluation.run(dataset, runner: runner, parameters: parameters.view, names: inputs.labels?.names)
        try recorder.record(
            EvaluationEvent(
                step: progress.bestStep ?? progress.step, epoch: inputs.plan.epoch(ofStep: max(1, progress.bestStep ?? progress.step)),
                split: .test,
                loss: report.loss, accuracy: report.accuracy, samples: report.samples, further: report.further,
                seconds: (ContinuousClock.now - start).seconds))
        display.setRunning(false)
        display.say(
            "test: \(report.line(inputs.configuration.metric)) over \(report.samples) samples, "
                + (progress.best == nil ? "last model" : "best model"))
        return report
    }

    /// The command with the lanes that decide the bits; for a resumed run, one that needs none of its state.
    private func reproducing(_ command: String) -> String {
        // Under an engine the command is that of one rank.
        if resumption != nil || command.hasPrefix("\(programName) work") {
            let saved = ConfigurationFile.path(inRun: folder.path)
            return "\(programName) train --config \(shellQuoted(saved)) --output \(shellQuoted(folder.path + "-again"))"
        }
        return command.contains("--lanes") ? command : "\(command) --lanes \(inputs.plan.laneCount)"
    }
}

/// How the user started this program; a child of the launcher names the launcher.
var programName: String { shellQuoted(ProcessInfo.processInfo.environment["APUS_PROGRAM"] ?? CommandLine.arguments.first ?? "apus") }

/// The command line as typed, arguments quoted where a shell needs it.
///
/// A child of the launcher names the launcher's.
package var commandLine: String {
    ProcessInfo.processInfo.environment["APUS_COMMAND"] ?? CommandLine.arguments.map(shellQuoted).joined(separator: " ")
}

/// One argument as a shell has to read it.
func shellQuoted(_ argument: String) -> String {
    let isPlain = argument.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,+@%".contains($0)) }
    return isPlain && !argument.isEmpty ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
}
