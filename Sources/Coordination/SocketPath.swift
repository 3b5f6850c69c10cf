internal import Foundation
package import Wording

/// Names of the sockets of a run on one host. All have the same length, so that a folder whose path is short enough for
/// one suits all.
package enum SocketPath {
    /// The longest path, in bytes, that fits into a socket's address.
    static let longest = 107

    /// The socket of one process in one generation.
    static func data(in folder: String, process: pid_t = getpid(), generation: UInt32) -> String {
        "\(folder)/d\(digits(UInt32(truncatingIfNeeded: process), 6))-\(digits(generation, 8))"
    }

    private static func digits(_ number: UInt32, _ count: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }

    /// By how many bytes a folder's path is too long for the sockets in it.
    private static func excess(_ folder: String) -> Int {
        data(in: folder, process: 0, generation: 0).utf8.count - longest
    }

    /// Whether sockets in a folder have paths that the system accepts.
    package static func fits(folder: String) -> Bool { excess(folder) <= 0 }

    /// - Throws: ``InputError`` with the excess.
    package static func check(folder: String) throws(InputError) {
        let excess = excess(folder)
        guard excess > 0 else { return }
        throw InputError(
            "\(folder): its path is \(counted(excess, "byte")) too long for the sockets of a run in it: choose a "
                + "folder with a shorter path, such as one in /tmp"
        )
    }
}
