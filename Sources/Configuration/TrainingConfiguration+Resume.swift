extension TrainingConfiguration {
    /// An option whose value differs between a saved run and now.
    package struct Difference: Equatable, Sendable, CustomStringConvertible {
        package let key: Key
        package let saved: ConfigurationValue
        package let now: ConfigurationValue

        package var description: String { "\(key.rawValue) was \(saved.shown), now \(now.shown)" }

        /// Whether both name a file or folder, for which contents matter, not paths.
        package var isPath: Bool { key.namesFile && saved != .absent && now != .absent }
    }

    /// The options that prevent a saved run from being resumed as requested, in the order of ``Key``.
    ///
    /// A run's length, workers and hosts may change; other options that determine its bits may not.
    package static func resumeDifferences(saved: TrainingConfiguration, now: TrainingConfiguration) -> [Difference] {
        Key.allCases.filter { !$0.mayChangeOnResume && saved.value($0) != now.value($0) }
            .map { Difference(key: $0, saved: saved.value($0), now: now.value($0)) }
    }
}

extension TrainingConfiguration.Key {
    /// `output` located the run, and may be spelled differently.
    var mayChangeOnResume: Bool {
        switch self {
        case .output, .resume: true
        case .epochs, .maxSteps, .checkpointEvery, .keep, .progress, .noTensorboard: true
        case .recompute, .threads, .minWorkers, .maxRestarts, .coordinatorTimeout, .heartbeatTimeout, .progressTimeout,
            .insecure:
            true
        default: false
        }
    }

    /// Whether the value names data files, see ``TextData/DataFiles``.
    package var namesData: Bool {
        switch self {
        case .train, .validation, .test, .sourceTrain, .sourceValidation: true
        default: false
        }
    }

    /// Whether the value is the path of a file or folder that the run reads.
    var namesFile: Bool {
        switch self {
        case .model, .train, .validation, .test, .addTokens, .sourceTrain, .sourceValidation: true
        default: false
        }
    }
}
