internal import Coordination
internal import Files
internal import Foundation
internal import Processes
package import Wording

/// The folder in which a folder for sockets is made: the environment's for temporary files, or /tmp if paths of sockets
/// would be too long there.
private func folderOfSockets(for name: String) -> String {
    let named = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
    guard let named, SocketPath.fits(folder: "\(named)/\(name)") else { return "/tmp" }
    return named
}

/// A folder of a launcher that only its user may enter, with configurations and sockets of a run.
///
/// It is removed at the end of the run. After a launcher that was killed, a later one removes it.
package struct PrivateFolder: Sendable {
    package let path: String
    private let hold: FolderHold

    /// - Parameter given: the folder to make it in; nil for the usual one.
    /// - Throws: ``InputError`` if it cannot be created, or if paths of its sockets would be too long.
    package init(in given: String? = nil) throws(InputError) {
        let number = String(UInt32.random(in: 0 ... .max), radix: 16)
        let name =
            "\(AbandonedFolders.prefix)\(getpid())-\(String(repeating: "0", count: 8 - number.count))\(number)"
        let base = given ?? folderOfSockets(for: name)
        path = "\(base)/\(name)"
        try SocketPath.check(folder: path)
        guard unsafe mkdir(path, 0o700) == 0 else {
            throw InputError(
                "\(path) cannot be created (\(systemReason())): set TMPDIR to a folder of "
                    + "yours, with a short path"
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
    init(job: String, in given: String? = nil) throws(InputError) {
        let name = "\(AbandonedFolders.prefix)job-\(getuid())-\(Self.name(of: job))"
        path = "\(given ?? folderOfSockets(for: name))/\(name)"
        try SocketPath.check(folder: path)
        hold = try Self.hold(path)
    }

    /// What a job's name adds to that of its folder, the same for all its ranks: at most 32 characters.
    private static func name(of job: String) -> String {
        let name = String(job.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") ? $0 : "-" })
        return name.count <= 32 ? name : "\(name.prefix(15))-\(Digests.bytes(Array(job.utf8)).prefix(16))"
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
