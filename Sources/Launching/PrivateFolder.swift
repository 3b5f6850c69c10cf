internal import Coordination
internal import Foundation
internal import Processes
package import Wording

/// The folder for temporary files, as the environment names it.
private var temporaryFolder: String {
    ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
}

/// A folder of a launcher that only its user may enter, with configurations and sockets of a run.
///
/// It is removed at the end of the run. After a launcher that was killed, a later one removes it.
package struct PrivateFolder: Sendable {
    package let path: String
    private let hold: FolderHold

    /// - Throws: ``InputError`` if it cannot be created, or if paths of its sockets would be too long.
    package init(in base: String? = nil) throws(InputError) {
        let base = base ?? temporaryFolder
        let number = String(UInt32.random(in: 0 ... .max), radix: 16)
        path =
            "\(base)/\(AbandonedFolders.prefix)\(getpid())-\(String(repeating: "0", count: 8 - number.count))\(number)"
        try SocketPath.check(folder: path)
        guard unsafe mkdir(path, 0o700) == 0 else {
            throw InputError(
                "\(path) cannot be created (\(unsafe String(cString: strerror(errno)))): set TMPDIR to a folder of "
                    + "yours"
            )
        }
        hold = FolderHold(path)
        AbandonedFolders.remove(in: base)
    }

    /// Two threads may remove it at once, at a second signal: a thread that misses a file starts again.
    package func remove() {
        for _ in 0..<10 where FileManager.default.fileExists(atPath: path) {
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

/// A folder that the ranks of one job on one host share, private to the user.
struct JobFolder: Sendable {
    let path: String
    private let hold: FolderHold

    /// Creates the folder, or uses the one that another rank has created.
    /// - Throws: ``InputError`` if something else has its name, or if paths of its sockets would be too long.
    init(job: String, in base: String? = nil) throws(InputError) {
        let name = job.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "-" }
        path = "\(base ?? temporaryFolder)/\(AbandonedFolders.prefix)job-\(getuid())-\(String(name))"
        try SocketPath.check(folder: path)
        hold = try Self.hold(path)
    }

    private static func hold(_ path: String) throws(InputError) -> FolderHold {
        // Another launcher may be removing the abandoned folder of an earlier job at this moment.
        for _ in 0..<10 {
            // With its final mode from the start: another rank may check it at once.
            unsafe mkdir(path, 0o700)
            let held = FolderHold(path)
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(), status.st_mode & 0o077 == 0 else {
                break
            }
            if held.isHeld(status) { return held }
        }
        throw InputError(
            "\(path) is not private to this user: remove it, or set TMPDIR to your own folder for all ranks")
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
