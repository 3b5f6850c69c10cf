internal import Foundation

/// Where `scripts/fetch.sh` puts the default model and data.
package struct DefaultFiles: Equatable, Sendable {
    package let cache: String

    package init(cache: String) { self.cache = cache }

    /// The folder named by `XDG_CACHE_HOME`, or `.cache` in the home folder.
    package init(environment: [String: String]) {
        let named = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory()
        cache = "\(named ?? "\(home)/.cache")/apus"
    }

    package var model: String { "\(cache)/models/all-MiniLM-L6-v2" }
    package var train: String { "\(cache)/data/movie-reviews/train.tsv" }
    package var validation: String { "\(cache)/data/movie-reviews/validation.tsv" }
    package var test: String { "\(cache)/data/movie-reviews/test.tsv" }

    /// Checks that the default files in use exist.
    package func needPresent(_ configuration: TrainingConfiguration) throws(ConfigurationError) {
        let needed: [(TrainingConfiguration.Key, String?, String, String)] = [
            (.model, configuration.model, model, "the default model"),
            (.train, configuration.train, train, "the default training data"),
            (.validation, configuration.validation, validation, "the default validation data"),
            (.test, configuration.test, test, "the default test data"),
        ]
        for (key, used, path, what) in needed where used == path && !FileManager.default.fileExists(atPath: path) {
            throw .missingDefault(what: what, path: path, key: key)
        }
    }
}
