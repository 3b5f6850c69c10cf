/// The options that somebody gave, on the command line or in a file; those left out have no value here.
package struct GivenOptions: Equatable, Sendable {
    package private(set) var values: [TrainingConfiguration.Key: ConfigurationValue] = [:]

    package init() {}

    package subscript(key: TrainingConfiguration.Key) -> ConfigurationValue? { values[key] }

    /// Notes `value` as given; nil was not given.
    package mutating func give<Entry: ConfigurationEntry>(_ key: TrainingConfiguration.Key, _ value: Entry?) {
        guard let value else { return }
        give(key, value.value)
    }

    /// Notes `value` as given; for the files that may be left out, `none` says that there is none.
    package mutating func give(_ key: TrainingConfiguration.Key, _ value: ConfigurationValue) {
        switch (key, value) {
        case (.validation, .text("none")), (.test, .text("none")): values[key] = .absent
        // Several columns are kept as one text, with commas between their names.
        case (.labelColumn, .list(let names)), (.sourceLabelColumn, .list(let names)): values[key] = .text(names.joined(separator: ","))
        default: values[key] = value
        }
    }

    /// These options, and those of `file` where these say nothing.
    package func over(_ file: GivenOptions) -> GivenOptions {
        var merged = self
        merged.values.merge(file.values) { mine, _ in mine }
        return merged
    }
}
