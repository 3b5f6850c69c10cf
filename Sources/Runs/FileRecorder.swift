internal import BERT
package import Checkpoints
internal import Configuration
package import Console
internal import Files
internal import Foundation
internal import Inputs
internal import Kernels
package import Learning
package import Telemetry
internal import Tensors
internal import TextData

/// Writes a run's files: metrics, log, checkpoints and models; and shows its progress.
package final class FileRecorder: RunRecorder {
    private let inputs: RunInputs
    private let folder: RunFolder
    private let store: CheckpointStore
    private let identity: RunIdentity
    private let display: RunDisplay
    /// The journal of the run's coordinator, notified of progress and checkpoints; nil in one process.
    package var journal: RunJournal?
    private var metricsFellBehind = false
    /// The best model so far, while the disk has no room for it.
    private var unkeptBest: (step: Int, parameters: FloatBuffer)?
    private var curves: TensorBoardLog?
    /// The first step recorded before the curves began.
    private var firstRecorded: Int?

    package init(_ inputs: RunInputs, folder: RunFolder, display: RunDisplay) {
        self.inputs = inputs
        self.folder = folder
        self.display = display
        store = CheckpointStore(folder: folder.path + "/checkpoints")
        identity = inputs.identity
    }

    /// A line that does not fit on the disk is kept until there is room; this is reported once.
    package func record(_ event: some MetricsEvent) throws {
        do throws(FileError) {
            if let change = try folder.appendMetrics(try line(event)) { say(Self.description(change)) }
            metricsFellBehind = false
        } catch {
            if !metricsFellBehind {
                say(Self.fellBehind(error))
            }
            metricsFellBehind = true
        }
        if let step = event as? StepEvent {
            if curves == nil { firstRecorded = min(firstRecorded ?? step.step, step.step) }
            curves?.add(step)
        } else if event is EvaluationEvent, let json = try? JSONValue(parsing: Array(line(event).utf8)) {
            curves?.add(evaluation: json)
        }
    }

    static func fellBehind(_ error: FileError) -> String {
        "METRICS FELL BEHIND: \(error); training continues, and the lines are written as soon as there is room"
    }

    /// From here on TensorBoard's files are written, too; metrics.jsonl has all earlier points.
    /// - Parameter isResumed: whether an earlier process may have written such files.
    package func beginCurves(after step: Int, isResumed: Bool) {
        guard !inputs.configuration.noTensorboard else { return }
        let text = ((try? ConfigurationFile.text(inputs.configuration)) ?? "").split(separator: "\n").map {
            "    \($0)\n"
        }.joined()
        curves = TensorBoardLog(
            run: folder.path, from: isResumed ? max(0, min(step, firstRecorded ?? step) - TensorBoardLog.overlap) : nil,
            labels: inputs.labels?.names ?? [],
            configuration: text
        ) { [display] in display.say($0) }
    }

    /// Ends recording.
    package func endCurves() {
        curves?.close()
        curves = nil
    }

    private func line(_ event: some MetricsEvent) throws(FileError) -> String {
        do { return try event.line() } catch { throw FileError("metrics.jsonl", "an event has no JSON form") }
    }

    package func say(_ line: String) { display.say(line) }

    package func sayEpoch(_ line: String, isNews: Bool) { display.sayEpoch(line, isNews: isNews) }

    package func show(_ step: ProgressMeter.Step) { display.show(step) }

    package func showWork(_ what: String, share: (@Sendable () -> Double)?) { display.showWork(what, share: share) }

    private static func description(_ change: AppendedFile.Change) -> String {
        switch change {
        case .restored: "metrics.jsonl was deleted by another process: it is restored with all its lines"
        case .replaced:
            "metrics.jsonl was replaced by another process: the new file is continued; it may lack earlier lines"
        case .cut(let lost):
            "METRICS WERE LOST: another process removed \(ByteText(lost)) from the end of metrics.jsonl; it "
                + "continues with the next line"
        }
    }

    /// A checkpoint is written after the best model of earlier steps: a run that resumes from it needs that model. The
    /// best model of the same step is written afterwards.
    package func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool {
        let store = store
        do throws(FileError) {
            if !progress.isBest { try keepUnkeptBest(&progress) }
            let record = StateFiles.Record(
                progress: progress, lanes: inputs.plan.laneCount, seed: inputs.configuration.seed, run: identity,
                touched: state.touched.words, arithmetic: Arithmetic.description)
            let layout = try layout(ofStep: progress.step)
            try store.save(step: progress.step, keep: inputs.configuration.keep ?? 2) {
                (path, steps) throws(FileError) in
                try StateFiles.write(state, record, layout: layout, to: path, steps: steps)
            }
            journal?.restart(from: progress)
            return true
        } catch {
            say(
                "CHECKPOINT OF STEP \(progress.step) FAILED, earlier ones are kept and training continues: \(error)"
            )
            return false
        }
    }

    private func layout(ofStep step: Int) throws(FileError) -> ParameterLayout {
        do { return try inputs.model(ofStep: step).layout } catch {
            throw FileError(store.folder, "cannot take step \(step): \(error)")
        }
    }

    package func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool) {
        keepScores(evaluated, split, step: progress.step, as: isBest ? ["last", "best"] : ["last"])
    }

    /// - Parameter models: "last" or "best", or both: the models whose scores they are.
    func keepScores(_ evaluated: Evaluated, _ split: Split, step: Int, as models: [String]) {
        guard let scores = evaluated.scores, let dataset = inputs.datasets[split] else { return }
        do throws(FileError) {
            for model in models {
                try PredictionsFile.write(
                    scores, of: dataset, inputs.model.head(of: split.stream),
                    names: split.stream == .target ? inputs.outputNames : nil,
                    split: split, step: step, digest: inputs.digests[split.rawValue],
                    to: PredictionsFile.path(inRun: folder.path, split, model))
            }
        } catch {
            say("PREDICTIONS OF STEP \(step) WERE NOT KEPT: \(error); training continues")
        }
    }

    package func note(_ progress: RunProgress) { journal?.add(.progress(progress)) }

    package func keepBest(_ state: TrainingState, _ progress: inout RunProgress) {
        do throws(FileError) {
            try keepBest(state.parameters, ofStep: progress.step, &progress)
        } catch {
            let copy = FloatBuffer(count: state.parameters.count)
            copy.view.copy(from: state.parameters.view)
            unkeptBest = (progress.step, copy)
            say(
                "BEST MODEL, OF STEP \(progress.step), FAILED: \(error); training continues, and it is written as "
                    + "soon as there is room"
            )
        }
    }

    private func keepUnkeptBest(_ progress: inout RunProgress) throws(FileError) {
        if let unkeptBest { try keepBest(unkeptBest.parameters, ofStep: unkeptBest.step, &progress) }
    }

    private func keepBest(_ parameters: FloatBuffer, ofStep step: Int, _ progress: inout RunProgress) throws(FileError)
    {
        try exportFiles(parameters, progress, name: "model-best")
        progress.keptBestStep = step
        note(progress)
        if unkeptBest != nil { say("there is room again: the best model, of step \(step), is in model-best") }
        unkeptBest = nil
    }

    /// Writes the best model, if it did not fit before, and the last one.
    package func exportModels(_ last: TrainingState, _ progress: inout RunProgress) throws {
        try keepUnkeptBest(&progress)
        try exportFiles(last.parameters, progress, name: "model")
    }

    /// Writes weights as a model folder.
    private func exportFiles(_ parameters: FloatBuffer, _ progress: RunProgress, name: String) throws(FileError) {
        try ModelExport.write(
            inputs.exportedTensors(parameters), configuration: inputs.exportedConfiguration,
            tokenizerFolder: inputs.configuration.model, tokenizerSettings: inputs.tokenizerSettings,
            words: inputs.words.map { ($0.text, Int($0.id)) }, among: inputs.addedTokens,
            card: card(name, progress, test: nil, digests: nil).text, to: folder.path + "/" + name)
        try inputs.exportAdapters(parameters, to: folder.path + "/" + name.replacing("model", with: "adapter"))
    }

    /// After the end of the run: removes checkpoints beyond the ones needed to extend it.
    package func removeSpareCheckpoints() { store.prune(keep: inputs.configuration.keep ?? 1) }

    private func card(
        _ name: String, _ progress: RunProgress, test: EvaluationReport?, digests: (file: String, parameters: String?)?
    ) -> ModelCard {
        let isBest = name == "model-best"
        let validation = isBest ? progress.best : progress.evaluatedStep == progress.step ? progress.latest : nil
        let isTested = isBest == (progress.best != nil)
        return ModelCard(
            inputs: inputs,
            figures: [(.validation, validation), (.test, isTested ? test : nil)].compactMap { split, report in
                report.map { (split, $0) }
            },
            step: isBest ? progress.bestStep ?? progress.step : progress.step, digests: digests)
    }

    /// Writes the cards of the models again, with the final information.
    /// - Parameter parameters: SHA-256 of the last model's parameters.
    package func finishCards(_ progress: RunProgress, test: EvaluationReport?, parameters: String) throws {
        for name in ["model", "model-best"] {
            let path = folder.path + "/" + name
            guard FileManager.default.fileExists(atPath: path + "/model.safetensors") else { continue }
            let isLast = name == "model" || progress.isBest
            let digests = (file: try Digests.file(path + "/model.safetensors"), parameters: isLast ? parameters : nil)
            try folder.replace(
                name + "/" + ModelExport.cardName,
                with: Array(card(name, progress, test: test, digests: digests).text.utf8))
        }
    }

    package func writeSummary(_ summary: RunSummary) throws {
        do throws(FileError) { try folder.appendPendingMetrics() } catch { say(Self.fellBehind(error)) }
        try folder.replace("summary.json", with: Array(summary.json()) + [0x0A])
    }
}
