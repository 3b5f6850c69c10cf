/// Training options on the command line of a worker: for the rank that starts the coordinator.
package struct TrainingRequest {
    private let given: GivenOptions
    private let hasFile: Bool
    private let resolve: () throws(ConfigurationError) -> TrainingConfiguration

    /// - Parameters:
    ///   - hasFile: whether `--config` was given.
    ///   - resolve: resolves the values of all options.
    package init(
        given: GivenOptions, hasFile: Bool, resolve: @escaping () throws(ConfigurationError) -> TrainingConfiguration
    ) {
        self.given = given
        self.hasFile = hasFile
        self.resolve = resolve
    }

    /// Options that apply to a worker itself.
    private static let workers: Set<TrainingConfiguration.Key> = [
        .threads, .coordinatorTimeout, .heartbeatTimeout, .insecure,
    ]

    /// Flags that apply only to a coordinator.
    package var coordinatorsFlags: [String] {
        (hasFile ? ["--config"] : [])
            + TrainingConfiguration.Key.allCases.filter { given[$0] != nil && !Self.workers.contains($0) }.map(\.flag)
    }

    package func configuration() throws(ConfigurationError) -> TrainingConfiguration { try resolve() }

    /// Checks the options without access to the run's files.
    /// - Throws: ``ConfigurationError``, as on the rank that starts the coordinator.
    package func checkWithoutFiles() throws(ConfigurationError) {
        do {
            _ = try resolve()
        } catch {
            switch error {
            case .missingDefault, .nothingToResume, .unreadable: return
            default: throw error
            }
        }
    }
}
