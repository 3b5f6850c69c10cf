internal import Files
internal import Wording

/// A model that neither cache nor hub can provide: what was found, what was expected, what to do next, in one line.
package struct HubError: BadInput, Equatable, Sendable, CustomStringConvertible {
    /// What a caller can do about it.
    package enum Kind: Equatable, Sendable {
        /// The hub knows no such model, or does not show it.
        case notFound
        /// No answer, or no network allowed.
        case unreachable
        /// Anything else.
        case other
    }

    package let kind: Kind
    package let description: String

    /// Names from outside are shown on one line, without control characters.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = String(
            String.UnicodeScalarView(
                description.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
    }

    init(_ description: String) { self.init(.other, description) }

    init(_ error: FileError) { self.init(.other, error.description) }
}
