internal import Checkpoints
internal import Console
internal import Files
internal import Foundation

extension TrainingRun {
    /// Begins the journal of the run after a step, with the run's inputs.
    package func beginJournal(after step: Int) throws -> RunJournal {
        guard var history = history ?? JournalHistory([.run(id: UInt64.random(in: 1...UInt64(Int64.max)), after: step)])
        else {
            preconditionFailure("a history begins with its run")
        }
        history.identity = inputs.identity
        let journal = try RunJournal(history, isThere: self.history != nil, inRun: folder.path, display: display)
        recorder.journal = journal
        return journal
    }

    /// Replaces the journal of a coordinator by one with only the run's inputs: from now on this process alone
    /// continues the run.
    package func forgetJournal(after step: Int) {
        let path = RunJournal.path(inRun: folder.path)
        let first = JournalEntry.run(
            id: UInt64.random(in: 1...UInt64(Int64.max)), after: step, identity: inputs.identity,
            format: JournalEntry.format)
        do { _ = try RecordLog(path, records: [first.bytes]) } catch {
            try? FileManager.default.removeItem(atPath: path)
            display.say("\(error); the next checkpoint will record the run's inputs")
        }
    }
}
