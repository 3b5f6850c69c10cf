package import Files
internal import Foundation

/// The file for answers: it gets its name once it is complete.
package struct AnswerFile: ~Copyable {
    private let path: String
    private let partial: String
    private var writer: FileWriter
    private var pending: [UInt8] = []

    package init(_ path: String) throws(FileError) {
        self.path = path
        partial = path + ".partial"
        writer = try FileWriter(partial)
    }

    package mutating func write(line: String) throws(FileError) {
        pending += Array(line.utf8)
        pending.append(0x0A)
        if pending.count >= 1 << 16 { try flush() }
    }

    private mutating func flush() throws(FileError) {
        try writer.write(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name.
    package consuming func finish() throws(FileError) {
        try flush()
        let (path, partial) = (path, partial)
        try writer.finish()
        try FileSystem.rename(partial, to: path)
    }

    /// Removes the unfinished file.
    package consuming func discard() { try? FileManager.default.removeItem(atPath: partial) }
}
