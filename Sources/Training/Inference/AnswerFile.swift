internal import Checkpoints
internal import Foundation

/// The file that answers are written to: it has its name once it is whole.
struct AnswerFile: ~Copyable {
    private let path: String
    private let partial: String
    private var writer: FileWriter
    private var pending: [UInt8] = []

    /// Refuses a path that cannot be written, or that would be overwritten.
    /// - Throws: ``InputError`` if the file exists already or its folder does not.
    static func check(_ path: String) throws(InputError) {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw InputError("--output \(path) exists already and is not overwritten: name another file, or remove this one")
        }
        let folder = FileSystem.parent(path)
        guard FileSystem.isFolder(folder) else { throw InputError("--output \(path): \(folder) is not a folder: make it, or name another file") }
    }

    init(_ path: String) throws(FileError) {
        self.path = path
        partial = path + ".partial"
        writer = try FileWriter(partial)
    }

    mutating func write(line: String) throws(FileError) {
        pending += Array(line.utf8)
        pending.append(0x0A)
        if pending.count >= 1 << 16 { try flush() }
    }

    private mutating func flush() throws(FileError) {
        try writer.write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name.
    consuming func finish() throws(FileError) {
        try flush()
        let (path, partial) = (path, partial)
        try writer.finish()
        try FileSystem.rename(partial, to: path)
    }

    /// Leaves nothing.
    consuming func discard() { try? FileManager.default.removeItem(atPath: partial) }
}
