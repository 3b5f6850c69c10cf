internal import Checkpoints
internal import Foundation

/// A file that is there while the coordinator can be joined; it holds where that is, and goes with its last user.
final class HealthFile: Sendable {
    private let path: String

    /// - Throws: ``FileError`` where it cannot be written.
    init(_ path: String, endpoint: String) throws(FileError) {
        try FileSystem.replace(path, with: Array("\(endpoint)\n".utf8))
        self.path = path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
