package import Files
internal import Foundation
package import Wording

/// A file that exists while workers can join the coordinator; it contains the endpoint and is removed at the end.
package final class HealthFile: Sendable {
    private let path: String

    /// - Throws: ``FileError`` if it cannot be written.
    package init(_ path: String, endpoint: String) throws(FileError) {
        try FileSystem.replace(path, with: Array("\(endpoint)\n".utf8))
        self.path = path
    }

    /// Whether a health file may be written there.
    /// - Throws: ``InputError`` if its folder is missing, or another file has its name.
    package static func check(_ path: String) throws(InputError) {
        let folder = FileSystem.parent(path)
        guard FileSystem.isFolder(folder), unsafe access(folder, W_OK) == 0 else {
            throw InputError(
                "--health-file \(path): \(folder) is not a writable folder: create it, or name another file")
        }
        guard FileManager.default.fileExists(atPath: path) else { return }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        guard ["tcp://", "ipc://"].contains(where: text.hasPrefix), text.count < 1 << 10 else {
            throw InputError(
                "--health-file \(path) already exists and is not a health file: it would be overwritten and removed; "
                    + "name another file"
            )
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
