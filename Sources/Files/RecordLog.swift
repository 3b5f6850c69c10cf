internal import Foundation
internal import Synchronization

/// A file of records, appended one after another, each readable in full or not at all.
///
/// A record is a line: its byte count, the first 16 digits of its SHA-256, and its bytes, none of them a line feed.
/// A record that was incomplete when the process ended is recognized and dropped.
package final class RecordLog: Sendable {
    package let path: String
    private let file: Mutex<AppendedFile>

    /// Replaces the file by one with these records, synced to disk when this returns, and opens it for appending.
    package init(_ path: String, records: [[UInt8]], steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        self.path = path
        var file = AppendedFile(path, steps: steps)
        try file.replace(with: Self.lines(records))
        self.file = Mutex(file)
    }

    /// Opens the existing file for appending; an incomplete record at its end is removed. Needs no room on the disk.
    package init(goingOnWith path: String, steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        self.path = path
        let dropped = try Self.read(path).droppedBytes
        var file = AppendedFile(path, steps: steps)
        try file.shorten(by: dropped)
        self.file = Mutex(file)
    }

    /// Replaces the file by one with these records as soon as the disk has room: now, or when a record is appended.
    package init(_ path: String, whenThereIsRoom records: [[UInt8]], steps: any FileSteps = PlainFileSteps()) {
        self.path = path
        var file = AppendedFile(path, steps: steps)
        try? file.startOver(with: Self.lines(records))
        self.file = Mutex(file)
    }

    package var byteCount: Int { file.withLock { $0.byteCount } }

    /// Appends a record with one write.
    /// - Returns: what another process had done to the file.
    /// - Throws: ``FileError``; the record is then appended together with the next one.
    @discardableResult
    package func append(_ record: [UInt8]) throws(FileError) -> AppendedFile.Change? {
        let line = Self.line(record)
        return try file.withLock { (file) throws(FileError) in try file.append(line) }
    }

    /// Keeps only these records, synced to disk when this returns.
    /// - Throws: ``FileError``; the file is then unchanged, or has these records but may not be synced yet.
    package func replace(_ records: [[UInt8]]) throws(FileError) {
        try file.withLock { (file) throws(FileError) in try file.replace(with: Self.lines(records)) }
    }

    /// The complete records of a file, and the number of other bytes at its end; none if there is no file.
    package static func read(_ path: String) throws(FileError) -> (records: [[UInt8]], droppedBytes: Int) {
        guard FileManager.default.fileExists(atPath: path) else { return ([], 0) }
        let bytes = try FileSystem.read(path)
        var records: [[UInt8]] = []
        var place = 0
        while let end = bytes[place...].firstIndex(of: 0x0A), let record = record(in: bytes[place..<end]) {
            records.append(record)
            place = end + 1
        }
        return (records, bytes.count - place)
    }

    private static func line(_ record: [UInt8]) -> [UInt8] {
        precondition(!record.contains(0x0A), "a record of a log has no line feed")
        var line = Array("\(record.count) \(Digests.bytes(record).prefix(16)) ".utf8)
        line.reserveCapacity(line.count + record.count + 1)
        line += record
        line.append(0x0A)
        return line
    }

    private static func record(in line: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, Int(String(decoding: parts[0], as: UTF8.self)) == parts[2].count else { return nil }
        let record = Array(parts[2])
        return Digests.bytes(record).prefix(16).utf8.elementsEqual(parts[1]) ? record : nil
    }

    private static func lines(_ records: [[UInt8]]) -> [UInt8] { records.flatMap(line) }
}
