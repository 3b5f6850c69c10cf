internal import Configuration
internal import Hub
internal import Telemetry

extension RunInputs {
    /// The model that the run began with.
    var sourceModel: RunSummary.Source {
        let base = HubSnapshot(path: configuration.model)
        return .init(repository: base?.name.repository, revision: base?.commit.digits, files: modelDigests)
    }

    /// A command line with the commit of a model that it names.
    func pinned(_ command: String) -> String {
        HubSnapshot(path: configuration.model)?.pinned(in: command) ?? command
    }
}
