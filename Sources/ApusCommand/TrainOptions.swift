internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Processes
internal import Runs

/// The training options, shared by `train`, `coordinate`, `work` and `launch`. Nil: not given.
///
/// Numeric options take the next argument whatever it is, so that `-1` is refused as a number and not as a flag.
struct TrainOptions: ParsableArguments {
    @OptionGroup(title: OptionExamples.Group.data.rawValue) var data: DataOptions
    @OptionGroup(title: OptionExamples.Group.optimization.rawValue) var optimization: OptimizationOptions
    @OptionGroup(title: OptionExamples.Group.transfer.rawValue) var transfer: TransferOptions
    @OptionGroup(title: OptionExamples.Group.run.rawValue) var run: RunOptions
    @OptionGroup(title: OptionExamples.Group.cluster.rawValue) var cluster: ClusterOptions

    /// The options given, over those of `--config`, with defaults for the rest.
    func resolved() throws(ConfigurationError) -> TrainingConfiguration {
        let process = ProcessInfo.processInfo
        return try TrainingConfiguration.resolve(
            merged(), cores: ProcessorCount.usable, now: Date(),
            files: DefaultFiles(environment: process.environment))
    }

    /// The options given, over those of `--config`.
    func merged() throws(ConfigurationError) -> GivenOptions {
        try run.config.map { path throws(ConfigurationError) in given.over(try ConfigurationFile.read(path)) } ?? given
    }

    /// The same, if this process can read the file: only rank 0 of an engine's ranks must.
    var mergedWhereReadable: GivenOptions { (try? merged()) ?? given }

    var given: GivenOptions {
        var given = GivenOptions()
        data.give(to: &given)
        optimization.give(to: &given)
        transfer.give(to: &given)
        run.give(to: &given)
        cluster.give(to: &given)
        return given
    }

    /// Refuses options of multi-process runs on the command line; a configuration file may contain them for other runs.
    func needOneProcess(_ command: String) throws {
        if let workers = cluster.minWorkers, workers > 1 {
            throw ValidationError(
                "--min-workers is \(workers), \(command) is one process: leave it out, or use apus launch --workers"
            )
        }
    }
}
