internal import Foundation
internal import Wording

/// A file or folder that cannot be used: what was found, what was expected, what to do next.
package struct FileError: BadInput, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let problem: String

    package init(_ path: String, _ problem: String) {
        self.path = path
        self.problem = problem
    }

    /// A file whose bytes the system did not take.
    package init(unwritable path: String, _ code: CInt) {
        let remedy =
            switch code {
            case EFBIG: "raise the limit on the size of files with ulimit -f unlimited"
            case ENOSPC, EDQUOT: "make room on its disk"
            default: "see whether its disk works"
            }
        self.init(path, "cannot be written (\(systemReason(code))): \(remedy)")
    }

    /// One line, whatever characters a name in the file has.
    package var description: String {
        var line = ""
        for scalar in "\(path): \(problem)".unicodeScalars {
            line.unicodeScalars.append(Self.breaksLines(scalar) ? "\u{FFFD}" : scalar)
        }
        return line
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}

/// The system's description of the last failed call.
package func systemReason(_ code: Int32 = errno) -> String { unsafe String(cString: strerror(code)) }
