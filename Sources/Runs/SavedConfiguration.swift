internal import Checkpoints
internal import Configuration
internal import Foundation

/// The options of the run in a folder: in `config.yaml`, and again in its journal and in each checkpoint.
package enum SavedConfiguration {
    /// - Returns: nil if the folder does not contain them.
    static func read(inRun output: String, cores: Int) throws(ConfigurationError) -> TrainingConfiguration? {
        let path = ConfigurationFile.path(inRun: output)
        if FileManager.default.fileExists(atPath: path) { return try ConfigurationFile.readSaved(path, cores: cores) }
        return try copy(inRun: output).map { text throws(ConfigurationError) in
            try ConfigurationFile.readSaved(text: text, cores: cores)
        }
    }

    /// The newest of several copies: each checkpoint restarts the journal.
    private static func copy(inRun output: String) -> String? {
        if let journal = try? JournalHistory(file: RunJournal.path(inRun: output)), let text = journal.identity?.options
        {
            return text
        }
        return newestRecord(inRun: output)?.identity.options
    }

    /// `state.json` of the newest complete checkpoint.
    private static func newestRecord(inRun output: String) -> StateFiles.Record? {
        CheckpointStore(folder: output + "/checkpoints").newestWhole().found.flatMap { try? StateFiles.record($0.path) }
    }

    /// Options given in full, for a run whose folder lost them: with the lanes of its checkpoint.
    /// - Returns: nil if there is no checkpoint, or model or data are not given.
    static func replaced(by given: GivenOptions, inRun output: String) -> GivenOptions? {
        guard given[.model] != nil, given[.train] != nil, let record = newestRecord(inRun: output) else { return nil }
        var complete = given
        if given[.lanes] == nil { complete.give(.lanes, record.lanes) }
        if given[.seed] == nil { complete.give(.seed, record.seed) }
        return complete
    }

    /// Whether the folder has anything that a run can resume from.
    package static func isThere(inRun output: String) -> Bool {
        [ConfigurationFile.path(inRun: output), RunJournal.path(inRun: output), output + "/checkpoints"].contains {
            FileManager.default.fileExists(atPath: $0)
        }
    }
}
