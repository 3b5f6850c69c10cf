internal import Foundation
internal import Hub

/// The text of `--model`.
package enum ModelText {
    /// Whether a text is a model's name and not a path: nothing lies there.
    ///
    /// `runs/shrot` is a slip in a path where a folder `runs` is, unless the cache has a model of that name.
    package static func isName(_ text: String) -> Bool {
        guard let name = ModelName(text), !FileManager.default.fileExists(atPath: text) else { return false }
        let parts = name.repository.split(separator: "/")
        guard parts.count == 2, FileManager.default.fileExists(atPath: String(parts[0])) else { return true }
        let settings = try? HubSettings(environment: ProcessInfo.processInfo.environment, token: HubToken.current)
        return settings.map { ModelHub.cached($0).contains(name.repository) } ?? false
    }
}
