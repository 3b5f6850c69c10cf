/// Why a data file cannot be used: one line with the file, the line where it shows, what was needed and what to do next.
package struct DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    /// From 1; nil where the whole file is meant.
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
