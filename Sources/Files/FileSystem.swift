internal import CSystem
internal import Foundation

/// Files and folders replaced atomically.
package enum FileSystem {
    /// Writes a small file next to its target and renames it.
    /// - Parameter isPrivate: whether only its owner may read it.
    package static func replace(
        _ path: String, with bytes: [UInt8], isPrivate: Bool = false, steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        let beside = path + ".partial"
        do throws(FileError) {
            var writer = try FileWriter(beside, isPrivate: isPrivate, steps: steps)
            try writer.write(bytes)
            try writer.finish()
            try rename(beside, to: path, steps: steps)
        } catch {
            _ = unsafe unlink(beside)
            throw error
        }
        try syncFolder(parent(path), steps: steps)
    }

    /// Renames a file or folder; a file, or an empty folder, that had the new name is replaced.
    package static func rename(_ from: String, to: String, steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        try steps.before("rename", to)
        guard unsafe Foundation.rename(from, to) == 0 else {
            throw FileError(to, "cannot be put in place (\(systemReason())): check the permission of the folder above")
        }
    }

    /// Replaces the folder `to` by `from`; the old one is removed afterwards.
    package static func replaceFolder(_ to: String, with from: String, steps: any FileSteps = PlainFileSteps())
        throws(FileError)
    {
        repairFolder(to)
        if FileManager.default.fileExists(atPath: to) {
            try steps.before("exchange", to)
            switch steps.exchange(from, to) {
            case 0: try? FileManager.default.removeItem(atPath: from)
            // Network file systems, and some others, cannot exchange names.
            case EINVAL, ENOSYS, ENOTSUP: try replaceByTwoNames(to, with: from, steps: steps)
            case let code:
                throw FileError(
                    to, "cannot be put in place (\(systemReason(code))): check the permission of the folder above")
            }
        } else {
            try rename(from, to: to, steps: steps)
        }
        try syncFolder(parent(to), steps: steps)
    }

    /// Temporary name of a folder while another one replaces it. Its suffix is that of unfinished folders, which are
    /// ignored.
    private static func aside(_ path: String) -> String { path + ".replaced.partial" }

    private static func replaceByTwoNames(_ to: String, with from: String, steps: any FileSteps) throws(FileError) {
        try rename(to, to: aside(to), steps: steps)
        do throws(FileError) { try rename(from, to: to, steps: steps) } catch {
            repairFolder(to)
            throw error
        }
        try? FileManager.default.removeItem(atPath: aside(to))
    }

    /// Restores a folder whose replacement stopped between two renames; removes the remains of a replacement.
    package static func repairFolder(_ path: String) {
        guard FileManager.default.fileExists(atPath: aside(path)) else { return }
        if FileManager.default.fileExists(atPath: path) {
            try? FileManager.default.removeItem(atPath: aside(path))
        } else {
            _ = unsafe Foundation.rename(aside(path), path)
        }
    }

    /// Creates the folder and missing parents.
    package static func makeFolder(_ path: String, steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        guard !isFolder(path) else { return }
        let above = parent(path)
        if above != path { try makeFolder(above, steps: steps) }
        try steps.before("folder", path)
        if unsafe mkdir(path, 0o755) != 0 {
            let reason = systemReason()
            guard isFolder(path) else {
                throw FileError(path, "cannot be created (\(reason)): check the permission or name another folder")
            }
        }
        try syncFolder(above, steps: steps)
    }

    /// Whether there is a folder, or a link to one.
    package static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Whether the name is a symbolic link, to anything.
    package static func isLink(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Syncs the names in a folder to disk.
    package static func syncFolder(_ path: String, steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        try steps.before("sync", path)
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw FileError(path, "cannot be opened (\(systemReason())): check the path and the permission")
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw FileError(path, "cannot be synced to disk (\(systemReason())): is it full or failing?")
        }
    }

    /// The parent folder, from the path alone: "." for a bare name, "/" for itself.
    package static func parent(_ path: String) -> String {
        // By bytes: a slash and a combining mark after it are one Character.
        let slash = UInt8(ascii: "/")
        var rest = path.utf8[...]
        while rest.count > 1, rest.last == slash { rest.removeLast() }
        guard let end = rest.lastIndex(of: slash) else { return "." }
        var above = rest[..<end]
        while above.last == slash { above.removeLast() }
        return above.isEmpty ? "/" : String(Substring(above))
    }

    /// A small file's bytes.
    /// - Parameter limit: a longer file is refused before any of it is copied.
    package static func read(_ path: String, limit: Int = .max) throws(FileError) -> [UInt8] {
        let file = try MappedFile(path)
        guard file.count <= limit else {
            throw FileError(path, "has \(file.count) bytes, at most \(limit) are read: is this the right file?")
        }
        return file.bytes(0..<file.count)
    }

    /// Bytes free for this user on the file system that holds `path`.
    package static func freeBytes(_ path: String) -> Int? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        // A file system that does not know may say anything.
        let (bytes, isTooMuch) = Int(clamping: status.f_bavail).multipliedReportingOverflow(
            by: Int(clamping: status.f_frsize))
        return isTooMuch ? .max : bytes
    }
}
