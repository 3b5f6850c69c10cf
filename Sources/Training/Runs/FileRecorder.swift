internal import BERT
package import Checkpoints
internal import Foundation
internal import Kernels
internal import Synchronization
internal import Tensors
internal import TextData

/// Keeps a run's files: metrics, log, checkpoints and models; and shows its progress.
package final class FileRecorder: RunRecorder {
    private let inputs: RunInputs
    private let folder: RunFolder
    private let store: CheckpointStore
    private let identity: RunIdentity
    private let display: RunDisplay
    /// Learns of progress and of checkpoints, where the run has one.
    package var journal: RunJournal?
    private var metricsFellBehind = false
    /// The best model so far, while it finds no room.
    private var unkeptBest: (step: Int, parameters: FloatBuffer)?

    package init(_ inputs: RunInputs, folder: RunFolder, display: RunDisplay) {
        self.inputs = inputs
        self.folder = folder
        self.display = display
        store = CheckpointStore(folder: folder.path + "/checkpoints")
        identity = inputs.identity
    }

    /// A line that finds no room is kept until there is some; that is said once.
    package func record(_ event: some MetricsEvent) throws {
        do throws(FileError) {
            if let change = try folder.appendMetrics(try line(event)) { say(Self.description(change)) }
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

    private static func description(_ change: AppendedFile.Change) -> String {
        switch change {
        case .restored: "metrics.jsonl was deleted by somebody else: it is there again, with all its lines"
        case .replaced: "metrics.jsonl was replaced by somebody else: the new file is continued; it may lack earlier lines"
        case .cut(let lost): "METRICS WERE LOST: somebody else cut \(ByteText(lost)) off the end of metrics.jsonl; it goes on with the next line"
        }
    }

    /// A checkpoint comes after the best model of the steps before it: a run that goes on from it needs that model. The best model of
    /// the very step is kept afterwards.
    package func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool {
        let store = store
        do throws(FileError) {
            if !progress.isBest { try keepUnkeptBest(&progress) }
            let record = StateFiles.Record(
                progress: progress, lanes: inputs.plan.laneCount, seed: inputs.configuration.seed, run: identity,
                touched: state.touched.words, arithmetic: Arithmetic.description)
            let layout = try layout(ofStep: progress.step)
            try store.save(step: progress.step, keep: inputs.configuration.keep ?? 2) { (path, steps) throws(FileError) in
                try StateFiles.write(state, record, layout: layout, to: path, steps: steps)
            }
            journal?.begin(anew: progress)
            return true
        } catch {
            say("CHECKPOINT OF STEP \(progress.step) FAILED, earlier ones stay: \(error): make room; training goes on")
            return false
        }
    }

    private func layout(ofStep step: Int) throws(FileError) -> ParameterLayout {
        do { return try inputs.model(ofStep: step).layout } catch { throw FileError(store.folder, "cannot take step \(step): \(error)") }
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

    package func keepBest(_ state: TrainingState, _ progress: inout RunProgress) {
        do throws(FileError) {
            try keepBest(state.parameters, ofStep: progress.step, &progress)
        } catch {
            let copy = FloatBuffer(count: state.parameters.count)
            copy.view.copy(from: state.parameters.view)
            unkeptBest = (progress.step, copy)
            say("BEST MODEL, OF STEP \(progress.step), FAILED: \(error); training goes on, and it is written as soon as there is room")
        }
    }

    private func keepUnkeptBest(_ progress: inout RunProgress) throws(FileError) {
        if let unkeptBest { try keepBest(unkeptBest.parameters, ofStep: unkeptBest.step, &progress) }
    }

    private func keepBest(_ parameters: FloatBuffer, ofStep step: Int, _ progress: inout RunProgress) throws(FileError) {
        try exportFiles(parameters, name: "model-best")
        progress.keptBestStep = step
        note(progress)
        if unkeptBest != nil { say("there is room again: the best model, of step \(step), is in model-best") }
        unkeptBest = nil
    }

    /// Writes the best model, if it found no room until now, and the last one.
    package func exportModels(_ last: TrainingState, _ progress: inout RunProgress) throws {
        try keepUnkeptBest(&progress)
        try exportFiles(last.parameters, name: "model")
    }

    /// Writes weights as a model folder.
    private func exportFiles(_ parameters: FloatBuffer, name: String) throws(FileError) {
        try ModelExport.write(
            inputs.exportedTensors(parameters), configuration: inputs.exportedConfiguration,
            tokenizerFolder: inputs.configuration.model, tokenizerSettings: inputs.tokenizerSettings,
            words: inputs.words.map { ($0.text, Int($0.id)) }, among: inputs.addedTokens, to: folder.path + "/" + name)
        try inputs.exportAdapters(parameters, to: folder.path + "/" + name.replacing("model", with: "adapter"))
    }

    /// After the end of the run: checkpoints that nobody needs to make it longer.
    package func removeSpareCheckpoints() { store.prune(keep: inputs.configuration.keep ?? 1) }

    package func writeSummary(_ summary: RunSummary) throws {
        try folder.appendPendingMetrics()
        try folder.replace("summary.json", with: Array(summary.json()) + [0x0A])
    }
}

/// Lines for the user: on standard output, and in the run's log.
package final class RunDisplay: Sendable {
    /// Of the log; -1 before there is one.
    private let log = Mutex<CInt>(-1)
    private let isTerminal: Bool
    private let progressShown = Atomic(false)

    package init() {
        isTerminal = isatty(STDOUT_FILENO) == 1
    }

    deinit { log.withLock { if $0 >= 0 { close($0) } } }

    /// From now on lines go to this file too. A file that cannot be opened is said once; the run needs no log.
    package func open(_ path: String) {
        let descriptor = unsafe Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            say("\(path) cannot be written (\(unsafe String(cString: strerror(errno)))): the run goes on without a log")
            return
        }
        log.withLock { $0 = descriptor }
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

    /// A line that finds no room on the disk is missing in the log: it was said.
    private func append(_ line: String) {
        let time = Date.now.formatted(.iso8601)
        log.withLock { if $0 >= 0 { DescriptorWriting.write(Array("\(time) \(line)\n".utf8), to: $0) } }
    }
}
