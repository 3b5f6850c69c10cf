import Files
import Foundation
import Runs

/// Changes to a run's files that keep every digest valid.
extension SmallJob {
    /// Changes a checkpoint's state.json, and its manifest with it.
    func changeState(_ checkpoint: String, _ change: (inout StateFiles.Record) -> Void) throws {
        var record = try StateFiles.record(path(checkpoint))
        change(&record)
        try JSONEncoder().encode(record).write(to: folder.url("\(checkpoint)/state.json"))
        var manifest = try JSONValue(parsing: FileSystem.read(path("\(checkpoint)/manifest.json")))
        let entries = try (manifest["files"]?.members ?? []).map { file in
            let path = path("\(checkpoint)/\(file.key)")
            let size = try FileSystem.read(path).count
            return JSONValue.Member(
                file.key, .object([.init("bytes", .integer(size)), .init("sha256", .string(try Digests.file(path)))]))
        }
        manifest["files"] = .object(entries)
        try FileSystem.replace(path("\(checkpoint)/manifest.json"), with: Array(manifest.text.utf8))
    }

    /// Checkpoints of a run, by name.
    func checkpoints(_ run: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path("\(run)/checkpoints")).sorted()
    }

    /// Turns a run's folder into that of a build without identities.
    func makeOld(_ run: String) throws {
        for name in try checkpoints(run) { try changeState("\(run)/checkpoints/\(name)") { $0.run = nil } }
        try FileManager.default.removeItem(atPath: path("\(run)/journal"))
    }
}
