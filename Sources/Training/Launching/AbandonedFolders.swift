internal import Foundation

/// Keeps a folder from being removed as abandoned, until its last user is gone or the process ends, however it does.
///
/// The lock is shared: every process of a run has one. A process that removes the folder needs a lock of its own, which it
/// gets only if there is no other.
final class FolderHold: Sendable {
    private let descriptor: CInt

    /// Waits for a process that is removing the folder. Without a folder, or without locks on its file system, nothing is held.
    init(_ path: String) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        while flock(descriptor, LOCK_SH) != 0, errno == EINTR {}
    }

    /// Whether it is this folder that is held, and no other that had the name before.
    func isHeld(_ folder: stat) -> Bool {
        var own = stat()
        return unsafe descriptor >= 0 && fstat(descriptor, &own) == 0 && own.st_ino == folder.st_ino && own.st_dev == folder.st_dev
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// Folders of launchers that were killed.
enum AbandonedFolders {
    /// Before the number of the launcher's process, or `job-` and what else names a job.
    static let prefix = "apus-"

    /// Removes those folders of this user that no living process owns.
    ///
    /// - Parameter age: seconds since something in the folder was made or removed, before which its owner may not hold it yet.
    static func remove(in base: String, olderThan age: Int = 60) {
        let youngest = time(nil) - age
        for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
            guard let owner = owner(name), owner.map({ kill($0, 0) != 0 && errno == ESRCH }) ?? true else { continue }
            let path = "\(base)/\(name)"
            let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mtim.tv_sec <= youngest,
                flock(descriptor, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// The process that a folder's name tells of, which may be none for a job's.
    /// - Returns: nil for a name that is not of such a folder.
    private static func owner(_ name: String) -> pid_t?? {
        guard name.hasPrefix(prefix) else { return nil }
        let parts = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
        if parts.count >= 3, parts[0] == "job", parts[1] == String(getuid()) { return .some(nil) }
        guard parts.count == 2, let process = pid_t(parts[0]), process > 0, (1...8).contains(parts[1].count), parts[1].allSatisfy(\.isHexDigit) else {
            return nil
        }
        return process
    }
}
