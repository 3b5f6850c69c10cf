internal import BERT
internal import Checkpoints
internal import Files
internal import Inputs
internal import Processes

/// The model that a run begins with, as its folder describes it. Its weights are read by ``StartingModel``.
struct SourceFolder: Sendable {
    let folder: ModelFolder
    /// Its config.json.
    let json: JSONValue
    let configuration: BERTConfiguration
    /// SHA-256 of each file, computed while the data are read.
    let digests: BackgroundWork<[String: String]>

    init(_ path: String) throws {
        try ModelPath.check(path)
        json = try ModelFolder.configuration(path)
        configuration = try BERTConfiguration(json, path: path + "/config.json")
        let bytes = ModelPath.weightBytes(in: path)
        try AddressLimit.provide(
            bytes + SystemNeed.command.allAddresses, for: "reading weights of \(bytes / 1_000_000) MB",
            advice: "choose a smaller model")
        let folder = try ModelFolder(path)
        self.folder = folder
        digests = BackgroundWork { try folder.digests() }
    }
}
