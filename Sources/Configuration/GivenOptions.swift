/// The options given on the command line or in a file; others have no value here.
package struct GivenOptions: Equatable, Sendable {
    package private(set) var values: [TrainingConfiguration.Key: ConfigurationValue] = [:]

    package init() {}

    package subscript(key: TrainingConfiguration.Key) -> ConfigurationValue? { values[key] }

    /// Records `value` as given; nil means not given.
    package mutating func give<Entry: ConfigurationEntry>(_ key: TrainingConfiguration.Key, _ value: Entry?) {
        guard let value else { return }
        give(key, value.value)
    }

    /// Records `value` as given; for optional files, `none` means no file.
    package mutating func give(_ key: TrainingConfiguration.Key, _ value: ConfigurationValue) {
        switch (key, value) {
        case (.validation, .text("none")), (.test, .text("none")): values[key] = .absent
        // Several files are kept as one text, too.
        case (_, .list(let names)) where key.namesData: give(key, .text(names.joined(separator: ",")))
        // Several columns are kept as one text, with their names separated by commas.
        case (.labelColumn, .list(let names)), (.sourceLabelColumn, .list(let names)):
            values[key] = .text(names.joined(separator: ","))
        default: values[key] = value
        }
    }

    /// These options, and those of `file` for missing ones.
    package func over(_ file: GivenOptions) -> GivenOptions {
        var merged = self
        merged.values.merge(file.values) { mine, _ in mine }
        return merged
    }
}
