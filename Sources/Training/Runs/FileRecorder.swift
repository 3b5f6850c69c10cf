internal import BERT
package import Checkpoints
internal import Foundation
internal import Kernels
internal import TextData

/// Keeps a run's files: metrics, log, checkpoints and models; and shows its progress.
package final class FileRecorder: RunRecorder {
    private let inputs: RunInputs
    private let folder: RunFolder
    private let store: CheckpointStore
    private let display: RunDisplay
    /// Learns of progress and of checkpoints, where the run has one.
    package var journal: RunJournal?
    private var metricsFellBehind = false
    private var curves: TensorBoardLog?
    /// The first step recorded before the curves began.
    private var firstRecorded: Int?

    package init(_ inputs: RunInputs, folder: RunFolder, display: RunDisplay) {
        self.inputs = inputs
        self.folder = folder
        self.display = display
        store = CheckpointStore(folder: folder.path + "/checkpoints")
    }

    /// A line that finds no room is kept until there is some; that is said once.
    package func record(_ event: some MetricsEvent) throws {
        do throws(FileError) {
            try folder.appendMetrics(try line(event))
            metricsFellBehind = false
        } catch {
            if !metricsFellBehind { say("METRICS FELL BEHIND: \(error); training goes on, and the lines are written as soon as there is room") }
            metricsFellBehind = true
        }
        if let step = event as? StepEvent {
            if curves == nil { firstRecorded = min(firstRecorded ?? step.step, step.step) }
            curves?.add(step)
        } else if event is EvaluationEvent, let json = try? JSONValue(parsing: Array(line(event).utf8)) {
            curves?.add(evaluation: json)
        }
    }

    /// From here on TensorBoard's files are kept up too; metrics.jsonl has all that came before.
    /// - Parameter isResumed: whether an earlier process may have written such files.
    package func beginCurves(after step: Int, isResumed: Bool) {
        guard !inputs.configuration.noTensorboard else { return }
        let text = ((try? ConfigurationFile.text(inputs.configuration)) ?? "").split(separator: "\n").map { "    \($0)\n" }.joined()
        curves = TensorBoardLog(
            run: folder.path, from: isResumed ? max(0, min(step, firstRecorded ?? step) - TensorBoardLog.overlap) : nil, labels: inputs.labels?.names ?? [],
            configuration: text
        ) { [display] in display.say($0) }
    }

    /// Nothing more comes.
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

    package func showWork(_ what: String) { display.showWork(what) }

    package func checkpoint(_ state: TrainingState, _ progress: RunProgress) {
        let record = StateFiles.Record(
            progress: progress, lanes: inputs.plan.laneCount, seed: inputs.configuration.seed, data: inputs.digests,
            touched: state.touched.words, arithmetic: BLASInformation.description)
        guard let layout = try? inputs.model(ofStep: progress.step).layout else { return }
        do throws(FileError) {
            try store.save(step: progress.step, keep: inputs.configuration.keep) { (path, steps) throws(FileError) in
                try StateFiles.write(state, record, layout: layout, to: path, steps: steps)
            }
            journal?.begin(anew: progress)
        } catch {
            say("CHECKPOINT OF STEP \(progress.step) FAILED, earlier ones stay: \(error): make room; training goes on")
        }
    }

    package func note(_ progress: RunProgress) { journal?.add(.progress(progress)) }

    package func keepBest(_ state: TrainingState, _ progress: RunProgress) throws { try export(state, progress, name: "model-best") }

    /// Writes the state's weights as a model folder.
    package func export(_ state: TrainingState, _ progress: RunProgress, name: String) throws {
        try ModelExport.write(
            inputs.exportedTensors(state.parameters), configuration: inputs.exportedConfiguration,
            tokenizerFolder: inputs.configuration.model, tokenizerSettings: inputs.tokenizerSettings,
            words: inputs.words.map { ($0.text, Int($0.id)) }, card: card(name, progress, test: nil, digests: nil).text, to: folder.path + "/" + name)
        try inputs.exportAdapters(state.parameters, to: folder.path + "/" + name.replacing("model", with: "adapter"))
    }

    private func card(_ name: String, _ progress: RunProgress, test: EvaluationReport?, digests: (file: String, parameters: String?)?) -> ModelCard {
        let isBest = name == "model-best"
        let validation = isBest ? progress.best : progress.evaluatedStep == progress.step ? progress.latest : nil
        let isTested = isBest == (progress.best != nil)
        return ModelCard(
            inputs: inputs, figures: [(.validation, validation), (.test, isTested ? test : nil)].compactMap { split, report in report.map { (split, $0) } },
            step: isBest ? progress.bestStep ?? progress.step : progress.step, digests: digests)
    }

    /// Writes the cards of the models again, with all that is known at the end.
    /// - Parameter parameters: SHA-256 of the last model's parameters.
    package func finishCards(_ progress: RunProgress, test: EvaluationReport?, parameters: String) throws {
        for name in ["model", "model-best"] {
            let path = folder.path + "/" + name
            guard FileManager.default.fileExists(atPath: path + "/model.safetensors") else { continue }
            let isLast = name == "model" || progress.isBest
            let digests = (file: try Digests.file(path + "/model.safetensors"), parameters: isLast ? parameters : nil)
            try folder.replace(name + "/" + ModelExport.cardName, with: Array(card(name, progress, test: test, digests: digests).text.utf8))
        }
    }

    package func writeSummary(_ summary: RunSummary) throws {
        try folder.appendPendingMetrics()
        try folder.replace("summary.json", with: Array(summary.json()) + [0x0A])
    }
}
