package import Configuration
package import Foundation
internal import Hub
internal import TextData

extension TrainingConfiguration {
    /// The value of each option: as given, otherwise its default; with `resume` given, the saved run's.
    ///
    /// `cores` are those of this machine, the default for threads; `now` and `chance` name the run's folder.
    /// - Throws: ``ConfigurationError`` for the first error that prevents a run.
    package static func resolve(
        _ given: GivenOptions, cores: Int, now: Date, chance: UInt32 = .random(in: 0 ... .max), files: DefaultFiles
    ) throws(ConfigurationError) -> TrainingConfiguration {
        if given[.resume] == true.value { return try resume(given, cores: cores, files: files) }
        var configuration = defaults(given, cores: cores, files: files)
        try configuration.apply(given)
        configuration.takeSplits(given)
        if given[.output] == nil {
            configuration.output = "runs/\(runName(model: configuration.model, now: now, chance: chance))"
        }
        try configuration.validate()
        try files.needPresent(configuration)
        return configuration
    }

    /// The saved configuration of the run in the output folder, with the given options that may change.
    private static func resume(
        _ given: GivenOptions, cores: Int, files: DefaultFiles
    ) throws(ConfigurationError) -> TrainingConfiguration {
        guard case .text(let output) = given[.output] else { throw .resumeWithoutOutput }
        guard let saved = try SavedConfiguration.read(inRun: output, cores: cores) else {
            guard let complete = SavedConfiguration.replaced(by: given, inRun: output) else {
                throw .nothingToResume(output: output, hasState: SavedConfiguration.isThere(inRun: output))
            }
            var now = defaults(complete, cores: cores, files: files)
            try now.apply(complete)
            now.takeSplits(complete)
            try now.validate()
            try files.needPresent(now)
            return now
        }
        var now = saved
        now.output = output
        now.threads = cores  // the saved run may have used another machine
        try now.apply(given)
        try now.validate()
        let differences = resumeDifferences(saved: saved, now: now)
        guard differences.isEmpty else { throw .changedOnResume(output: output, differences) }
        try files.needPresent(now)
        return now
    }

    /// A folder of data has its validation and test data with it, unless others are given.
    private mutating func takeSplits(_ given: GivenOptions) {
        guard given[.train] != nil || given[.sourceTrain] != nil else { return }
        if given[.train] != nil, DataFiles.isFolder(train) {
            let folder = DataFolder(train)
            if given[.validation] == nil, given[.validationSplit] == nil, folder.has(.validation) {
                validation = train
            }
            if given[.test] == nil, folder.has(.test) { test = train }
        }
        if given[.sourceValidation] == nil, let sourceTrain, DataFiles.isFolder(sourceTrain),
            DataFolder(sourceTrain).has(.validation)
        {
            sourceValidation = sourceTrain
        }
    }

    /// The user's training data has no default validation or test data.
    private static func defaults(_ given: GivenOptions, cores: Int, files: DefaultFiles) -> TrainingConfiguration {
        var configuration = TrainingConfiguration(model: files.model, train: files.train, output: "", threads: cores)
        if given[.train] == nil {
            configuration.validation = given[.validationSplit] == nil ? files.validation : nil
            configuration.test = files.test
        }
        return configuration
    }

    /// The time and the model for readability; and a number, because several runs may start in one second.
    private static func runName(model: String, now: Date, chance: UInt32) -> String {
        let time = now.formatted(
            Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted, timeZone: .gmt))
        let number = String(chance, radix: 36)
        let name =
            HubSnapshot(path: model)?.name.shortName ?? (model.hasPrefix("/") ? nil : ModelName(model)?.shortName)
            ?? URL(fileURLWithPath: model).lastPathComponent
        return
            "\(time)-\(name)-"
            + "\(String(repeating: "0", count: 7 - number.count))\(number)"
    }
}
