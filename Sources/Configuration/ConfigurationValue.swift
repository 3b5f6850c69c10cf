package import BERT
internal import Console
package import Kernels
internal import Learning
package import TextData

/// The value of one option from a command line or file, before its type is known.
package enum ConfigurationValue: Equatable, Sendable {
    /// Explicitly absent: `none`, or a key without a value.
    case absent
    case text(String)
    case list([String])

    /// The value in messages.
    package var shown: String {
        switch self {
        case .absent: "none"
        case .text(let text): text
        case .list(let items): "[\(items.joined(separator: ", "))]"
        }
    }
}

/// A type that an option's value can have.
package protocol ConfigurationEntry: Equatable, Sendable {
    /// The description for messages: "a whole number".
    static var needed: String { get }
    /// Nil if `value` does not have this type.
    init?(_ value: ConfigurationValue)
    /// The value that reads back as exactly this one.
    var value: ConfigurationValue { get }
}

extension String: ConfigurationEntry {
    package static var needed: String { "a text" }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value, !text.isEmpty else { return nil }
        self = text
    }
    package var value: ConfigurationValue { .text(self) }
}

extension Int: ConfigurationEntry {
    package static var needed: String { "a whole number" }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value else { return nil }
        self.init(text)
    }
    package var value: ConfigurationValue { .text(String(self)) }
}

extension UInt64: ConfigurationEntry {
    package static var needed: String { "a whole number of at least 0" }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value else { return nil }
        self.init(text)
    }
    package var value: ConfigurationValue { .text(String(self)) }
}

extension Double: ConfigurationEntry {
    package static var needed: String { "a number" }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value else { return nil }
        self.init(text)
    }
    package var value: ConfigurationValue { .text(String(self)) }
}

extension Bool: ConfigurationEntry {
    package static var needed: String { "true or false" }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value else { return nil }
        self.init(text.lowercased())  // Python writes True
    }
    package var value: ConfigurationValue { .text(String(self)) }
}

extension [String]: ConfigurationEntry {
    package static var needed: String { "a list of texts" }
    package init?(_ value: ConfigurationValue) {
        switch value {
        case .absent: self = []
        case .text(let text): self = [text]
        case .list(let items): self = items
        }
    }
    package var value: ConfigurationValue { .list(self) }
}

extension Optional: ConfigurationEntry where Wrapped: ConfigurationEntry {
    package static var needed: String { Wrapped.needed }
    package init?(_ value: ConfigurationValue) {
        if case .absent = value {
            self = nil
        } else if let wrapped = Wrapped(value) {
            self = .some(wrapped)
        } else {
            return nil
        }
    }
    package var value: ConfigurationValue { self?.value ?? .absent }
}

/// An option that names one of a few choices.
package protocol ConfigurationChoice: ConfigurationEntry, CaseIterable, RawRepresentable<String> {}

extension ConfigurationChoice {
    package static var needed: String { allCases.map(\.rawValue).joined(separator: " or ") }
    package init?(_ value: ConfigurationValue) {
        guard case .text(let text) = value else { return nil }
        self.init(rawValue: text)
    }
    package var value: ConfigurationValue { .text(rawValue) }
}

extension OptimizerSettings.Kind: ConfigurationChoice {}
extension LearningRateSchedule.Shape: ConfigurationChoice {}
extension Measure: ConfigurationChoice {}
extension TrainingConfiguration.TargetTask: ConfigurationChoice {}
extension Head.Pooling: ConfigurationChoice {}
extension DataFormat: ConfigurationChoice {}
extension BLAS: ConfigurationChoice {}
extension Precision: ConfigurationChoice {}
extension ProgressMode: ConfigurationChoice {}
