package import Files
internal import Foundation
internal import Synchronization

/// The output folder of a run, held by one process at a time.
package final class RunFolder: Sendable {
    package let path: String
    /// Why checkpoints will fail until the disk has room; nil if there is enough.
    package let shortage: String?
    private let lock: CInt
    /// The folder itself, locked too: its lock outlives a `.lock` that somebody deletes.
    private let folder: CInt
    private let metrics: Mutex<AppendedFile>

    /// Folders of models that a run writes.
    private static let models = ["model", "model-best", "adapter", "adapter-best"]
    /// Names that show that a folder contains a run.
    private static let traces = ["summary.json", "config.yaml", "metrics.jsonl", "checkpoints", "journal"] + models

    /// Files of a run that stay under their names and are written in place.
    private static let writtenInPlace = [".lock", "log.txt", "metrics.jsonl"]

    /// Locks the folder for a new run, or to resume the one in it.
    ///
    /// A run that goes on is not refused for lack of room: a coordinator may be started again while the disk is full
    /// for a while.
    /// - Parameters:
    ///   - neededBytes: room that one checkpoint and the model take.
    ///   - largestFile: bytes of the largest file that the run cannot do without.
    /// - Throws: ``FileError``; nothing is written if the folder cannot be used.
    package init(_ path: String, resuming: Bool, neededBytes: Int, largestFile: Int = 0) throws(FileError) {
        try Self.refuseUnfit(path, resuming: resuming)
        try Self.refuseShortFiles(path, largestFile)
        let shortage = FileSystem.freeBytes(Self.nearestFolder(path)).flatMap { free in
            free >= neededBytes
                ? nil : "\(ByteText(free)) free, a checkpoint and the model need \(ByteText(neededBytes))"
        }
        if let shortage, !resuming { throw FileError(path, "has \(shortage): make room or name another --output") }
        try FileSystem.makeFolder(path)
        self.path = path
        self.shortage = shortage
        metrics = Mutex(AppendedFile(path + "/metrics.jsonl"))
        let lockPath = path + "/.lock"
        lock = unsafe open(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            throw FileError(
                path,
                "cannot be written to (\(systemReason())): check the permission or name another folder with --output")
        }
        folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // All properties are set: what throws from here on ends this object, which closes both.
        // A file system that locks no folders leaves the file.
        let isFree = folder < 0 || flock(folder, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
        guard flock(lock, LOCK_EX | LOCK_NB) == 0, isFree else {
            var digits = [UInt8](repeating: 0, count: 20)
            let count = unsafe pread(lock, &digits, digits.count, 0)
            let holder = String(decoding: digits.prefix(max(0, count)), as: UTF8.self).prefix { $0.isNumber }
            throw FileError(
                path,
                "is in use by another run\(holder.isEmpty ? "" : " (process \(holder))"): wait for it, or name "
                    + "another --output"
            )
        }
        // Another run may have started and ended since the first check.
        try Self.refuseUnfit(path, resuming: resuming)
        for name in Self.models where resuming { FileSystem.repairFolder(path + "/" + name) }
        sign()
    }

    /// Writes this process's number into the lock file unless the file has another hard link. Without room it stays
    /// empty.
    private func sign() {
        var status = stat()
        guard unsafe fstat(lock, &status) == 0, status.st_nlink == 1, ftruncate(lock, 0) == 0 else { return }
        DescriptorWriting.write(Array(String(getpid()).utf8), to: lock)
    }

    deinit {
        close(lock)
        if folder >= 0 { close(folder) }
    }

    /// Whether a process of this machine has locked the folder; does not take the lock.
    package static func isHeld(_ path: String) -> Bool {
        // The kernel's list may lack a lock while others are taken and given back; it hardly lacks one twice.
        isListed(path) || isListed(path)
    }

    private static func isListed(_ path: String) -> Bool {
        let held = (SystemFile.text("/proc/locks") ?? "").split(separator: "\n").filter { $0.contains("FLOCK") }
        return [path + "/.lock", path].contains { name in
            var status = stat()
            // By inode alone: some file systems show another device there than here.
            return unsafe stat(name, &status) == 0 && held.contains { $0.contains(":\(status.st_ino) ") }
        }
    }

    /// The system's limit on the size of files holds for as long as this process lives.
    private static func refuseShortFiles(_ path: String, _ largest: Int) throws(FileError) {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            limit.rlim_cur < rlim_t(largest)
        else { return }
        throw FileError(
            path,
            "files may have \(ByteText(Int(limit.rlim_cur))), the run writes one of \(ByteText(largest)): "
                + "raise the limit with ulimit -f unlimited")
    }

    private static func refuseUnfit(_ path: String, resuming: Bool) throws(FileError) {
        let existing = nearest(path, where: { FileManager.default.fileExists(atPath: $0) })
        guard FileSystem.isFolder(existing) else {
            throw FileError(
                path,
                existing == path
                    ? "is a file: name a folder with --output"
                    : "lies below \(existing), which is a file: name another folder")
        }
        guard existing == path else { return }
        for name in writtenInPlace where FileSystem.isLink(path + "/" + name) {
            throw FileError(
                path + "/" + name,
                "is a link to another file, which a run does not overwrite: remove it, or name another --output")
        }
        guard !resuming else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if let trace = traces.first(where: names.contains) {
            throw FileError(path, "contains another run (\(trace)): resume it with --resume, or name another --output")
        }
    }

    /// The folder itself, or its nearest existing parent.
    private static func nearestFolder(_ path: String) -> String { nearest(path, where: FileSystem.isFolder) }

    /// The path itself, or its nearest parent that `isFound`.
    private static func nearest(_ path: String, where isFound: (String) -> Bool) -> String {
        var place = path
        while !isFound(place), FileSystem.parent(place) != place { place = FileSystem.parent(place) }
        return place
    }

    /// Appends one line to `metrics.jsonl`.
    /// - Returns: what another process had done to the file.
    /// - Throws: ``FileError``; the line is then kept, and appended together with the next one or by
    ///   ``appendPendingMetrics()``.
    @discardableResult
    package func appendMetrics(_ line: String) throws(FileError) -> AppendedFile.Change? {
        try metrics.withLock { (metrics) throws(FileError) in try metrics.append(Array((line + "\n").utf8)) }
    }

    /// Appends the lines that did not fit on the disk before.
    package func appendPendingMetrics() throws(FileError) {
        _ = try metrics.withLock { (metrics) throws(FileError) in try metrics.flush() }
    }

    /// Keeps the lines of `metrics.jsonl` that `isKept` accepts; an incomplete last line is removed.
    ///
    /// Needs room only if a removed line precedes a kept one. Without room the file stays unchanged until there is
    /// some. A file that cannot be read or truncated stays as it is.
    /// - Returns: the error that delays or prevents this.
    @discardableResult
    package func trimMetrics(_ isKept: (JSONValue) -> Bool) -> FileError? {
        let file = path + "/metrics.jsonl"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        let all: [UInt8]
        do throws(FileError) { all = try FileSystem.read(file) } catch { return error }
        var kept: [UInt8] = []
        for line in all.split(separator: 0x0A) {
            if let value = try? JSONValue(parsing: Array(line)), isKept(value) { kept += line + [0x0A] }
        }
        return metrics.withLock { metrics in
            do throws(FileError) {
                if all.starts(with: kept) {
                    try metrics.shorten(by: all.count - kept.count)
                } else {
                    try metrics.startOver(with: kept)
                }
                return nil
            } catch { return error }
        }
    }

    /// Replaces a small file of the run.
    package func replace(_ name: String, with bytes: [UInt8]) throws(FileError) {
        try FileSystem.replace(path + "/" + name, with: bytes)
    }
}
