internal import BERT
package import Checkpoints
internal import Foundation
internal import Kernels
internal import Synchronization
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
    }

    private func line(_ event: some MetricsEvent) throws(FileError) -> String {
        do { return try event.line() } catch { throw FileError("metrics.jsonl", "an event has no JSON form") }
    }

    package func say(_ line: String) { display.say(line) }

    package func showProgress(_ line: String) { display.show(line) }

    package func checkpoint(_ state: TrainingState, _ progress: RunProgress) {
        let record = StateFiles.Record(
            progress: progress, lanes: inputs.plan.laneCount, seed: inputs.configuration.seed, data: inputs.digests,
            touched: state.touched.words, arithmetic: Arithmetic.description)
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

    package func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool) {
        keepScores(evaluated, split, step: progress.step, as: isBest ? ["last", "best"] : ["last"])
    }

    /// - Parameter models: "last" or "best", or both: the models whose scores they are.
    func keepScores(_ evaluated: Evaluated, _ split: Split, step: Int, as models: [String]) {
        guard let scores = evaluated.scores, let dataset = inputs.datasets[split] else { return }
        do throws(FileError) {
            for model in models {
                try PredictionsFile.write(
                    scores, of: dataset, inputs.model.head(of: split.stream), names: split.stream == .target ? inputs.outputNames : nil,
                    split: split, step: step, digest: inputs.digests[split.rawValue], to: PredictionsFile.path(inRun: folder.path, split, model))
            }
        } catch {
            say("PREDICTIONS OF STEP \(step) WERE NOT KEPT: \(error); training goes on")
        }
    }

    package func note(_ progress: RunProgress) { journal?.add(.progress(progress)) }

    package func keepBest(_ state: TrainingState) throws { try export(state, name: "model-best") }

    /// Writes the state's weights as a model folder.
    package func export(_ state: TrainingState, name: String) throws {
        try ModelExport.write(
            inputs.exportedTensors(state.parameters), configuration: inputs.exportedConfiguration,
            tokenizerFolder: inputs.configuration.model, tokenizerSettings: inputs.tokenizerSettings,
            words: inputs.words.map { ($0.text, Int($0.id)) }, to: folder.path + "/" + name)
        try inputs.exportAdapters(state.parameters, to: folder.path + "/" + name.replacing("model", with: "adapter"))
    }

    package func writeSummary(_ summary: RunSummary) throws {
        try folder.appendPendingMetrics()
        try folder.replace("summary.json", with: Array(summary.json()) + [0x0A])
    }
}

/// Lines for the user: on standard output, and in the run's log.
package final class RunDisplay: Sendable {
    private let log: Mutex<FileHandle?>
    private let isTerminal: Bool
    private let progressShown = Atomic(false)

    package init() {
        log = Mutex(nil)
        isTerminal = isatty(STDOUT_FILENO) == 1
    }

    /// From now on lines go to this file too.
    package func open(_ path: String) {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let handle = FileHandle(forWritingAtPath: path)
        _ = try? handle?.seekToEnd()
        log.withLock { $0 = handle }
    }

    package func say(_ line: String) {
        let before = progressShown.exchange(false, ordering: .relaxed) ? "\n" : ""
        write(before + line + "\n")
        append(line)
    }

    /// A line that a terminal shows in place of the one before it.
    package func show(_ line: String) {
        if isTerminal {
            progressShown.store(true, ordering: .relaxed)
            write("\r" + line + "\u{1B}[K")
        } else {
            write(line + "\n")
        }
        append(line)
    }

    /// A reader that left does not end the run.
    private func write(_ text: String) { try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) }

    private func append(_ line: String) {
        let time = Date.now.formatted(.iso8601)
        log.withLock { try? $0?.write(contentsOf: Data("\(time) \(line)\n".utf8)) }
    }
}
