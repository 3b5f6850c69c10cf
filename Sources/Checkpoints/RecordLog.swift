internal import Foundation
internal import Synchronization

/// A file of records, appended one after another, each found whole or not at all.
///
/// A record is a line: its count of bytes, the first 16 digits of its SHA-256, and its bytes, among them no line feed.
/// What was being written when the process ended is recognized and dropped.
package final class RecordLog: Sendable {
    package let path: String
    private let steps: any FileSteps
    private let state: Mutex<State>

    private struct State {
        var descriptor: Int32
        var byteCount: Int
        /// Lines that found no room yet.
        var pending: [UInt8] = []
    }

    /// Replaces the file by one with these records, on the disk when this returns, and opens it for more.
    package init(_ path: String, records: [[UInt8]], steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        self.path = path
        self.steps = steps
        let (descriptor, count) = try Self.replaced(path, records)
        state = Mutex(State(descriptor: descriptor, byteCount: count))
    }

    deinit { state.withLock { _ = close($0.descriptor) } }

    package var byteCount: Int { state.withLock { $0.byteCount } }

    /// Appends a record with one write.
    /// - Throws: ``FileError``; the record is then appended together with the next one.
    package func append(_ record: [UInt8]) throws(FileError) {
        let line = Self.line(record)
        try state.withLock { (state) throws(FileError) in
            state.pending += line
            try steps.before("append", path)
            try Self.follow(path, &state)
            let pending = state.pending
            let count = unsafe Foundation.write(state.descriptor, pending, pending.count)
            guard count == pending.count else {
                let reason = systemReason()
                // No half of a record stays, on which later ones would follow.
                _ = ftruncate(state.descriptor, off_t(state.byteCount))
                throw FileError(path, "cannot be written (\(reason)): is the disk full?")
            }
            state.byteCount += count
            state.pending = []
        }
    }

    /// Opens the file anew where another has taken its name: a replacement that was put in place and not synced.
    private static func follow(_ path: String, _ state: inout State) throws(FileError) {
        var status = stat()
        guard unsafe fstat(state.descriptor, &status) == 0, status.st_nlink == 0 else { return }
        let descriptor = try opened(path)
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileError(path, "cannot be looked at (\(systemReason()))") }
        close(state.descriptor)
        state.descriptor = descriptor
        state.byteCount = Int(status.st_size)
    }

    private static func opened(_ path: String) throws(FileError) -> Int32 {
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, "cannot be opened (\(systemReason())): check the permission") }
        return descriptor
    }

    /// Leaves only these records, on the disk when this returns.
    /// - Throws: ``FileError``; the file is then as it was, or holds these records and is perhaps not on the disk yet.
    package func replace(_ records: [[UInt8]]) throws(FileError) {
        try state.withLock { (state) throws(FileError) in
            let (descriptor, count) = try Self.replaced(path, records)
            close(state.descriptor)
            state = State(descriptor: descriptor, byteCount: count)
        }
    }

    /// The whole records of a file, and how many bytes at its end are none; nothing where there is no file.
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

    private static func replaced(_ path: String, _ records: [[UInt8]]) throws(FileError) -> (descriptor: Int32, byteCount: Int) {
        let bytes = records.flatMap(line)
        try FileSystem.replace(path, with: bytes)
        return (try opened(path), bytes.count)
    }
}
