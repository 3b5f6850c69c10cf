internal import Foundation
internal import Synchronization

/// The output folder of a run, held by one process at a time.
package final class RunFolder: Sendable {
    package let path: String
    private let lock: Int32
    private let metrics = Mutex<Int32>(-1)

    /// Names that say a folder holds a run.
    private static let traces = ["summary.json", "config.yaml", "metrics.jsonl", "checkpoints", "model"]

    /// Takes the folder for a new run, or for going on with the one it holds.
    ///
    /// - Parameter neededBytes: room that one checkpoint and the model take.
    /// - Throws: ``FileError``, before anything but the folder itself is written.
    package init(_ path: String, resuming: Bool, neededBytes: Int) throws(FileError) {
        let made = Self.firstMissing(path)
        if !resuming { try Self.refuseAnotherRun(path) }
        try FileSystem.makeFolder(path)
        self.path = path
        let lockPath = path + "/.lock"
        let hadLock = FileManager.default.fileExists(atPath: lockPath)
        lock = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard lock >= 0 else {
            let reason = systemReason()
            if let made { try? FileManager.default.removeItem(atPath: made) }
            throw FileError(path, "cannot be written to (\(reason)): check the permission or name another folder with --output")
        }
        do throws(FileError) {
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
                let holder = (try? String(contentsOfFile: lockPath, encoding: .utf8)) ?? ""
                throw FileError(path, "is in use by another run\(holder.isEmpty ? "" : " (process \(holder))"): wait for it, or name another --output")
            }
            if let free = FileSystem.freeBytes(path), free < neededBytes {
                throw FileError(path, "has \(free / 1_000_000) MB free, one checkpoint needs \(neededBytes / 1_000_000) MB: make room or name another --output")
            }
        } catch {
            close(lock)
            if !hadLock { try? FileManager.default.removeItem(atPath: lockPath) }
            if let made { try? FileManager.default.removeItem(atPath: made) }
            throw error
        }
        _ = ftruncate(lock, 0)
        let pid = Array(String(getpid()).utf8)
        _ = unsafe Foundation.write(lock, pid, pid.count)
    }

    deinit {
        close(lock)
        metrics.withLock { if $0 >= 0 { close($0) } }
    }

    /// The uppermost folder that has to be made so that `path` is there, nil where it is.
    private static func firstMissing(_ path: String) -> String? {
        var missing: String?
        var folder = path
        while !FileManager.default.fileExists(atPath: folder) {
            missing = folder
            folder = FileSystem.parent(folder)
        }
        return missing
    }

    private static func refuseAnotherRun(_ path: String) throws(FileError) {
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return }
        guard isFolder.boolValue else { throw FileError(path, "is a file: name a folder with --output") }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if let trace = traces.first(where: names.contains) {
            throw FileError(path, "holds another run (\(trace)): go on with it by --resume, or name another --output")
        }
    }

    /// Appends one line to `metrics.jsonl`. The first call of a resumed run cuts off what a crash left of a line, and what lies
    /// beyond the step that the run goes on from.
    package func appendMetrics(_ line: String) throws(FileError) {
        let bytes = Array((line + "\n").utf8)
        let file = path + "/metrics.jsonl"
        let descriptor = metrics.withLock { descriptor in
            if descriptor < 0 { descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) }
            return descriptor
        }
        guard descriptor >= 0, unsafe Foundation.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw FileError(file, "cannot be written (\(systemReason())): is the disk full?")
        }
    }

    /// Keeps the lines of `metrics.jsonl` that `isKept` accepts; a torn last line goes.
    package func trimMetrics(_ isKept: (JSONValue) -> Bool) throws(FileError) {
        let file = path + "/metrics.jsonl"
        guard FileManager.default.fileExists(atPath: file) else { return }
        var kept: [UInt8] = []
        for line in try FileSystem.read(file).split(separator: 0x0A) {
            if let value = try? JSONValue(parsing: Array(line)), isKept(value) { kept += line + [0x0A] }
        }
        try FileSystem.replace(file, with: kept)
    }

    /// Replaces a small file of the run.
    package func replace(_ name: String, with bytes: [UInt8]) throws(FileError) { try FileSystem.replace(path + "/" + name, with: bytes) }
}
