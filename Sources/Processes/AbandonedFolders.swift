package import Foundation

/// Keeps a folder from being removed as abandoned, until its last user or the process ends in any way.
///
/// The lock is shared: every process of a run has one. A process that removes the folder needs an exclusive lock, which
/// it gets only if no other process has one.
package final class FolderHold: Sendable {
    private let descriptor: CInt

    /// Waits for a process that is removing the folder. Without a folder, or without locks on its file system, nothing
    /// is locked.
    package init(_ path: String) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        while flock(descriptor, LOCK_SH) != 0, errno == EINTR {}
    }

    /// Whether the lock is on this folder, and not on an earlier one with the same name.
    package func isHeld(_ folder: stat) -> Bool {
        var own = stat()
        return unsafe descriptor >= 0 && fstat(descriptor, &own) == 0 && own.st_ino == folder.st_ino
            && own.st_dev == folder.st_dev
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// Folders of launchers that were killed.
package enum AbandonedFolders {
    /// Prefix of the launcher's process number, or of `job-` and a job's name.
    package static let prefix = "apus-"

    /// Removes those folders of this user that no living process owns.
    ///
    /// - Parameter age: minimum seconds since the folder last changed: the owner of a newer one may not have locked it
    ///   yet.
    package static func remove(in base: String, olderThan age: Int = 60) {
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

    /// The process in a folder's name, which may be none for a job's folder.
    /// - Returns: nil if the name is not that of such a folder.
    private static func owner(_ name: String) -> pid_t?? {
        guard name.hasPrefix(prefix) else { return nil }
        let parts = name.dropFirst(prefix.count).split(separator: "-", omittingEmptySubsequences: false)
        if parts.count >= 3, parts[0] == "job", parts[1] == String(getuid()) { return .some(nil) }
        guard parts.count == 2, let process = pid_t(parts[0]), process > 0, (1...8).contains(parts[1].count),
            parts[1].allSatisfy(\.isHexDigit)
        else {
            return nil
        }
        return process
    }
}
