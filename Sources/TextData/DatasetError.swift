internal import Wording

/// Why a data file cannot be used: one line with the file, the line of the error, what was expected and what to do
/// next.
package struct DatasetError: BadInput, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    /// From 1; nil for the whole file.
    package let line: Int?
    package let problem: String

    package init(path: String, line: Int? = nil, problem: String) {
        self.path = path
        self.line = line
        self.problem = problem
    }

    package var description: String {
        line.map { "\(path), line \($0): \(problem)" } ?? "\(path): \(problem)"
    }
}
