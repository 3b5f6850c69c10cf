internal import Foundation
internal import Gzip

/// A text file in blocks of whole lines, perhaps unpacked on the way, checked to be UTF-8; a byte order mark is
/// dropped. Never is more of it in memory than a block, or a line if that is longer.
final class TextBlocks {
    private let handle: FileHandle
    private let size: Int
    private let least: Int
    private var unpacking: GunzipStream?
    /// What was read and not returned yet, its last line perhaps not whole.
    private var rest: [UInt8] = []
    private var isAtEnd = false
    private var isFirst = true
    /// Lines of all blocks so far.
    private(set) var lines = 0

    /// Whether all of the file was returned.
    var isOver: Bool { isAtEnd && rest.isEmpty }

    /// Whether the file can be opened once more and read from its beginning, as a pipe cannot.
    let isLasting: Bool

    private static let usual = 1 << 20

    /// - Parameter least: bytes that a block has at least, apart from the last one, and that are read at a time.
    convenience init(path: String, least: Int = TextBlocks.usual) throws(TextFile.Failure) {
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else { throw .missing }
        guard attributes[.type] as? FileAttributeType != .typeDirectory else { throw .folder }
        let handle: FileHandle
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw .unreadable(String(describing: (error as NSError).localizedDescription))
        }
        try self.init(
            handle, size: attributes[.size] as? Int ?? 0,
            isLasting: attributes[.type] as? FileAttributeType == .typeRegular, least: least)
    }

    /// What comes through a stream.
    convenience init(stream: FileHandle) throws(TextFile.Failure) {
        try self.init(stream, size: 0, isLasting: false, least: Self.usual)
    }

    private init(_ handle: FileHandle, size: Int, isLasting: Bool, least: Int) throws(TextFile.Failure) {
        self.handle = handle
        self.size = size
        self.isLasting = isLasting
        self.least = least
        // Enough to tell what it is.
        let first = try read(atLeast: 2)
        guard Gunzip.isCompressed(first) else {
            rest = first
            return
        }
        var begin = first[...]
        do throws(Gunzip.Failure) {
            let descriptor = handle
            unpacking = try GunzipStream(limit: TextFile.longest(packed: size)) {
                defer { begin = [] }
                return begin.isEmpty ? try Self.read(descriptor, Self.usual)[...] : begin
            }
        } catch { throw .packed(error, size: size) }
    }

    /// The next whole lines; nil at the end.
    func next() throws(TextFile.Failure) -> [UInt8]? {
        var known = 0
        while !isAtEnd {
            if rest.count >= least, let end = rest[known...].lastIndex(of: 0x0A) {
                let block = Array(rest[...end])
                rest.removeSubrange(...end)
                return try checked(block)
            }
            known = rest.count
            let more = try read()
            if more.isEmpty { isAtEnd = true } else { rest += more }
        }
        guard !rest.isEmpty else { return nil }
        defer { rest = [] }
        return try checked(rest)
    }

    /// The next lines, at least that many unless they are very long or the file ends.
    func next(lines least: Int) throws(TextFile.Failure) -> [UInt8]? {
        let before = lines
        guard var found = try next() else { return nil }
        while lines - before < least, found.count < 8 * Self.usual, let more = try next() { found += more }
        return found
    }

    /// All lines that were not returned yet, after `block`.
    func remaining(after block: [UInt8]) throws(TextFile.Failure) -> [UInt8] {
        var all = block
        while let more = try next() { all += more }
        return all
    }

    private func checked(_ block: [UInt8]) throws(TextFile.Failure) -> [UInt8] {
        defer {
            lines += block.count { $0 == 0x0A }
            isFirst = false
        }
        do throws(TextFile.Failure) {
            return isFirst ? try TextFile(block).bytes : try TextFile(following: block).bytes
        } catch {
            guard case .notUTF8(let line) = error else { throw error }
            throw .notUTF8(line: lines + line)
        }
    }

    /// As many bytes, unless the file ends.
    private func read(atLeast count: Int) throws(TextFile.Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, case let more = try read(), !more.isEmpty { bytes += more }
        return bytes
    }

    private func read() throws(TextFile.Failure) -> [UInt8] {
        do {
            return try unpacking.map { Array(try $0.next()) } ?? Self.read(handle, least)
        } catch let failure as Gunzip.Failure {
            throw .packed(failure, size: size)
        } catch let failure as DescriptorReading.Failure {
            throw .unreadable(failure.reason)
        } catch {
            throw .unreadable(String(describing: error))
        }
    }

    private static func read(_ handle: FileHandle, _ most: Int) throws(DescriptorReading.Failure) -> [UInt8] {
        try DescriptorReading.read(handle.fileDescriptor, most: most)
    }
}
