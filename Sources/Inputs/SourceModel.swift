internal import BERT
internal import Checkpoints
package import Configuration
internal import Console
internal import Foundation
internal import Hub
internal import Wording

/// The folder of the model that `--model` names: a folder itself, or a model by its name on a hub.
///
/// A path of options is absolute; a model's name stays as it was given until ``folder(_:weights:)`` finds its folder.
package enum SourceModel {
    /// The folder of a model that is given by path or name; a model that is not in the hub's cache is downloaded.
    ///
    /// - Parameter weights: whether these are needed.
    /// - Throws: ``InputError`` for a model that cannot be found or downloaded; other ``BadInput`` for an unusable one.
    package static func folder(_ text: String, weights: Bool = true) throws -> String {
        if let name = ModelText.isName(text) ? ModelName(text) : nil {
            let hub = try hub()
            return try found(text, hub) { try hub.folder(name, weights: weights, check: check) }
        }
        // The model of a resumed run may no longer be in the cache.
        if let snapshot = HubSnapshot(path: text), !exists(text) {
            let hub = try hub()
            guard text == hub.path(of: snapshot) else { return text }
            let name = snapshot.name.at(snapshot.commit)
            return try found(name.description, hub) { try hub.folder(name, weights: weights, check: check) }
        }
        return text
    }

    /// Downloads a model into the hub's cache, or the files of it that are missing there.
    /// - Returns: its folder.
    package static func download(_ text: String) throws -> String {
        guard let name = ModelName(text) else {
            throw InputError(
                "'\(ShownText.safe(text))' is not a model's name: expected ORGANIZATION/NAME or NAME, and perhaps "
                    + "@REVISION, such as google-bert/bert-base-uncased")
        }
        let hub = try hub()
        return try found(nil, hub) { try hub.folder(name, asksHub: true, check: check) }
    }

    private static func hub() throws(HubError) -> ModelHub {
        let settings = try HubSettings(
            environment: ProcessInfo.processInfo.environment, token: HubToken.current)
        return ModelHub(settings, watch: DownloadDisplay().watch) { seconds in
            Thread.sleep(forTimeInterval: Double(seconds))
        }
    }

    /// Refuses a model that is not an encoder of this program before its weights are downloaded.
    private static func check(_ folder: String) throws {
        _ = try BERTConfiguration(try ModelFolder.configuration(folder), path: folder + "/config.json")
    }

    /// Adds to an error what may be meant instead.
    /// - Parameter text: as given, where a folder might be meant as well.
    private static func found(_ text: String?, _ hub: ModelHub, _ body: () throws -> String) throws -> String {
        do { return try body() } catch let error as HubError {
            let beginning = text.map { "\($0): there is no such folder, and " } ?? ""
            switch error.kind {
            case .notFound: throw InputError(beginning + error.description + near(text, hub))
            case .unreachable:
                throw InputError("\(beginning)\(error.description); \(nearFolder(text) ?? contents(hub))")
            case .other: throw InputError(error.description)
            }
        }
    }

    private static func near(_ text: String?, _ hub: ModelHub) -> String {
        guard let text, let name = ModelName(text) else { return "" }
        let known = hub.cached
        let short = known.first { ModelName($0)?.shortName == name.shortName && $0 != name.repository }
        guard let near = short ?? NearMiss.of(name.repository, among: known) else {
            return nearFolder(text).map { "; \($0)" } ?? ""
        }
        return "; did you mean \(near), which is in the cache?"
    }

    private static func nearFolder(_ text: String?) -> String? {
        text.flatMap { ModelPath.near($0) }.map { "did you mean the folder \($0)?" }
    }

    private static func contents(_ hub: ModelHub) -> String {
        let names = hub.cached
        guard !names.isEmpty else { return "the cache \(hub.root) has no models" }
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return "the cache \(hub.root) has \(names.prefix(5).joined(separator: ", "))\(more)"
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

extension TrainingConfiguration {
    /// The same with the folder of its model, which is downloaded if it is given by name and not in the hub's cache.
    package func withModelFolder() throws -> TrainingConfiguration {
        Screen.shared.use(progress)
        var found = self
        found.model = try SourceModel.folder(model)
        return found
    }
}
