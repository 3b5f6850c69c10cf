internal import Foundation

/// A file or folder that cannot be used: what was found, what was needed, what to do next.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let problem: String

    package init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "\(path): \(problem)" }
}

/// The system's word for the newest failed call.
func systemReason(_ code: Int32 = errno) -> String { unsafe String(cString: strerror(code)) }
