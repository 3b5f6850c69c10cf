package import Foundation

/// Plain texts from a stream, one per line, without header or columns.
///
/// Keeps one line and the bytes read beyond it.
package struct BareTextReader {
    private let handle: FileHandle
    private let name: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var line = 0
    private var isAtEnd = false
    /// Why the line after those already returned cannot be read.
    private var failure: DatasetError?

    /// - Parameter name: the stream's name in errors.
    package init(_ handle: FileHandle, name: String = "standard input") throws(DatasetError) {
        self.handle = handle
        self.name = name
        let target = URL(fileURLWithPath: "/dev/fd/\(handle.fileDescriptor)").resolvingSymlinksInPath().path
        let type = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType
        guard type != .typeDirectory else {
            throw DatasetError(path: name, problem: "is a folder, expected texts: name a file")
        }
    }

    /// The lines available now, at most `most`; waits only for the first. None at the end.
    ///
    /// - Throws: ``DatasetError`` for the first line; the error of a later line is thrown by the next call, after the
    ///   lines before it.
    package mutating func lines(most: Int) throws(DatasetError) -> [String] {
        if let failure {
            self.failure = nil
            throw failure
        }
        guard let first = try next() else { return [] }
        var lines = [first]
        var searched = start
        do throws(DatasetError) {
            while lines.count < most {
                if buffer[searched...].contains(0x0A) || isAtEnd {
                    guard let line = try next() else { break }
                    lines.append(line)
                    searched = start
                } else {
                    searched = buffer.count
                    guard DescriptorReading.isReady(handle.fileDescriptor) else { break }
                    try readMore()
                }
            }
        } catch { failure = error }
        return lines
    }

    /// The next line without its line end, nil after the last one; an empty line is an empty text.
    package mutating func next() throws(DatasetError) -> String? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                return try text(start..<end)
            }
            searched = buffer.count
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return try text(start..<buffer.count)
            }
            searched -= start
            buffer.removeFirst(start)
            start = 0
            try readMore()
        }
    }

    /// Takes what a pipe or terminal has: waiting for a full buffer would delay lines that already arrived.
    private mutating func readMore() throws(DatasetError) {
        do {
            let bytes = try DescriptorReading.read(handle.fileDescriptor, most: 1 << 16)
            isAtEnd = bytes.isEmpty
            buffer.append(contentsOf: bytes)
        } catch {
            throw DatasetError(path: name, problem: "cannot be read (\(error.reason)): check where it comes from")
        }
    }

    private mutating func text(_ range: Range<Int>) throws(DatasetError) -> String {
        line += 1
        var bytes = buffer[range]
        if bytes.last == 0x0D { bytes.removeLast() }
        if line == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DatasetError(path: name, line: line, problem: "is not UTF-8: convert the text first")
        }
        return text
    }
}
