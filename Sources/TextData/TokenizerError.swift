internal import Wording

/// Why a model folder's tokenizer cannot be used: one line that says what was found, what was expected and what to do
/// next.
package struct TokenizerError: BadInput, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let problem: String

    package var description: String { "\(path): \(problem)" }
}
