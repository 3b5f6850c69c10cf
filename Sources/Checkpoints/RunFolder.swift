internal import Foundation
internal import Synchronization

/// The output folder of a run, held by one process at a time.
package final class RunFolder: Sendable {
    package let path: String
    private let lock: Int32
    private let metrics = Mutex(Metrics())

    private struct Metrics {
        var descriptor: Int32 = -1
        /// Lines that found no room yet.
        var pending: [UInt8] = []
    }

    /// Folders of models that a run leaves.
    private static let models = ["model", "model-best", "adapter", "adapter-best"]
    /// Names that say a folder holds a run.
    private static let traces = ["summary.json", "config.yaml", "metrics.jsonl", "checkpoints", "journal"] + models

    /// Takes the folder for a new run, or for going on with the one it holds.
    ///
    /// - Parameter neededBytes: room that one checkpoint and the model take.
    /// - Throws: ``FileError``; nothing is written where the folder cannot serve.
    package init(_ path: String, resuming: Bool, neededBytes: Int) throws(FileError) {
        try Self.refuseUnfit(path, resuming: resuming)
        if let free = FileSystem.freeBytes(Self.nearestFolder(path)), free < neededBytes {
            throw FileError(
                path, "has \(free / 1_000_000) MB free, one checkpoint needs \(neededBytes / 1_000_000) MB: make room or name another --output")
        }
        try FileSystem.makeFolder(path)
        self.path = path
        let lockPath = path + "/.lock"
        lock = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            throw FileError(path, "cannot be written to (\(systemReason())): check the permission or name another folder with --output")
        }
        do throws(FileError) {
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                let holder = (try? String(contentsOfFile: lockPath, encoding: .utf8)) ?? ""
                throw FileError(path, "is in use by another run\(holder.isEmpty ? "" : " (process \(holder))"): wait for it, or name another --output")
            }
            // Another run may have come and gone since the first look.
            try Self.refuseUnfit(path, resuming: resuming)
        } catch {
            close(lock)
            throw error
        }
        for name in Self.models where resuming { FileSystem.repairFolder(path + "/" + name) }
        _ = ftruncate(lock, 0)
        let pid = Array(String(getpid()).utf8)
        _ = unsafe Foundation.write(lock, pid, pid.count)
    }

    deinit {
        close(lock)
        metrics.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    /// Whether a process of this machine holds the folder; asked without touching the lock.
    package static func isHeld(_ path: String) -> Bool {
        var status = stat()
        guard unsafe stat(path + "/.lock", &status) == 0, let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8) else { return false }
        return locks.split(separator: "\n").contains { $0.contains("FLOCK") && $0.contains(":\(status.st_ino) ") }
    }

    private static func refuseUnfit(_ path: String, resuming: Bool) throws(FileError) {
        let existing = nearest(path, where: { FileManager.default.fileExists(atPath: $0) })
        guard FileSystem.isFolder(existing) else {
            throw FileError(path, existing == path ? "is a file: name a folder with --output" : "lies below \(existing), which is a file: name another folder")
        }
        guard existing == path else { return }
        guard !resuming else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if let trace = traces.first(where: names.contains) {
            throw FileError(path, "holds another run (\(trace)): go on with it by --resume, or name another --output")
        }
    }

    /// The folder itself, or the first above it that is there.
    private static func nearestFolder(_ path: String) -> String { nearest(path, where: FileSystem.isFolder) }

    /// The path itself, or the first above it that `isFound`.
    private static func nearest(_ path: String, where isFound: (String) -> Bool) -> String {
        var place = path
        while !isFound(place), FileSystem.parent(place) != place { place = FileSystem.parent(place) }
        return place
    }

    /// Appends one line to `metrics.jsonl`.
    /// - Throws: ``FileError``; the line is then kept, and appended together with the next one or by ``appendPendingMetrics()``.
    package func appendMetrics(_ line: String) throws(FileError) {
        metrics.withLock { $0.pending += Array((line + "\n").utf8) }
        try appendPendingMetrics()
    }

    /// Appends the lines that found no room before.
    package func appendPendingMetrics() throws(FileError) {
        let file = path + "/metrics.jsonl"
        try metrics.withLock { (metrics) throws(FileError) in
            let pending = metrics.pending
            guard !pending.isEmpty else { return }
            if metrics.descriptor < 0 { metrics.descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
            let size = lseek(metrics.descriptor, 0, SEEK_END)
            guard metrics.descriptor >= 0, unsafe Foundation.write(metrics.descriptor, pending, pending.count) == pending.count else {
                let reason = systemReason()
                // No half of a line stays, on which the next one would follow.
                if size >= 0 { _ = ftruncate(metrics.descriptor, size) }
                throw FileError(file, "cannot be written (\(reason)): is the disk full?")
            }
            metrics.pending = []
        }
    }

    /// Keeps the lines of `metrics.jsonl` that `isKept` accepts; a torn last line goes.
    package func trimMetrics(_ isKept: (JSONValue) -> Bool) throws(FileError) {
        let file = path + "/metrics.jsonl"
        guard FileManager.default.fileExists(atPath: file) else { return }
        metrics.withLock { metrics in
            if metrics.descriptor >= 0 { close(metrics.descriptor) }
            metrics.descriptor = -1
        }
        var kept: [UInt8] = []
        for line in try FileSystem.read(file).split(separator: 0x0A) {
            if let value = try? JSONValue(parsing: Array(line)), isKept(value) { kept += line + [0x0A] }
        }
        try FileSystem.replace(file, with: kept)
    }

    /// Replaces a small file of the run.
    package func replace(_ name: String, with bytes: [UInt8]) throws(FileError) { try FileSystem.replace(path + "/" + name, with: bytes) }
}
