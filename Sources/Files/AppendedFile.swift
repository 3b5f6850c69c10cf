internal import Foundation

/// A file that grows by whole lines. Lines that do not fit on the disk stay in memory and are written with the next
/// ones.
///
/// Another process may delete, replace or truncate the file in the meantime. Each write checks for that: a deleted file
/// is restored, a new file under the name is continued, and a truncated one continues after its last whole line.
package struct AppendedFile: ~Copyable {
    /// What another process did to the file since the last write.
    package enum Change: Equatable, Sendable {
        /// The name was missing; the file has it again, with all its lines.
        case restored
        /// The name belonged to another file; writing continues there.
        case replaced
        /// Lines at the end were missing.
        case cut(lostBytes: Int)
    }

    package let path: String
    private let steps: any FileSteps
    private var descriptor: CInt = -1
    /// Bytes of the whole lines in the file.
    package private(set) var byteCount = 0
    private var pending: [UInt8] = []
    /// Whether the pending bytes replace the whole file.
    private var isReplacement = false
    /// Whether part of a line may follow `byteCount`.
    private var isTorn = false
    /// Not reported yet.
    private var change: Change?

    package init(_ path: String, steps: any FileSteps = PlainFileSteps()) {
        self.path = path
        self.steps = steps
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends whole lines.
    /// - Returns: what another process had done to the file.
    /// - Throws: ``FileError``; the lines are then written together with the next ones.
    @discardableResult
    package mutating func append(_ lines: [UInt8]) throws(FileError) -> Change? {
        pending += lines
        return try flush()
    }

    /// Writes the lines that did not fit on the disk before.
    @discardableResult
    package mutating func flush() throws(FileError) -> Change? {
        guard !pending.isEmpty || isReplacement else { return nil }
        try steps.before("append", path)
        if isReplacement {
            try replace(with: pending)
            return nil
        }
        try follow()
        try cutTornLine()
        let code = unsafe DescriptorWriting.write(pending.span.bytes, to: descriptor, steps: steps)
        guard code == 0 else {
            isTorn = true
            // If this fails too, the next write repeats it.
            try? cutTornLine()
            throw FileError(unwritable: path, code)
        }
        byteCount += pending.count
        pending = []
        defer { change = nil }
        return change
    }

    /// Makes these lines the whole file, synced to disk when this returns.
    /// - Throws: ``FileError``; the file is then as it was, or holds these lines and may not be synced yet.
    package mutating func replace(with lines: [UInt8]) throws(FileError) {
        try FileSystem.replace(path, with: lines, steps: steps)
        try open()
        pending = []
        isReplacement = false
    }

    /// Makes these lines the whole file as soon as the disk has room: now, or before the next line is appended.
    /// - Throws: ``FileError`` if there is no room now.
    package mutating func startOver(with lines: [UInt8]) throws(FileError) {
        pending = lines
        isReplacement = true
        try replace(with: lines)
    }

    /// Opens the file and truncates it, which needs no room on the disk.
    package mutating func shorten(by count: Int) throws(FileError) {
        try open()
        byteCount = max(0, byteCount - count)
        isTorn = true
        try cutTornLine()
    }

    /// Opens the file, or creates it, under its name.
    private mutating func open() throws(FileError) {
        let opened = unsafe Foundation.open(
            path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0o644)
        guard opened >= 0 else {
            let reason =
                errno == ELOOP
                ? "is a symbolic link, which Apus does not follow: remove it"
                : "cannot be opened (\(systemReason())): check the permission"
            throw FileError(path, reason)
        }
        var status = stat()
        guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw FileError(path, "is not a regular file: remove it")
        }
        if descriptor >= 0 { close(descriptor) }
        descriptor = opened
        byteCount = Int(status.st_size)
        isTorn = false
    }

    private mutating func follow() throws(FileError) {
        guard descriptor >= 0 else { return try open() }
        var (own, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &own) == 0 else {
            throw FileError(path, "cannot be examined (\(systemReason())): check the disk")
        }
        if unsafe lstat(path, &named) != 0 {
            guard errno == ENOENT else {
                throw FileError(path, "cannot be examined (\(systemReason())): check the disk")
            }
            try restore()
            change = .restored
        } else if named.st_ino != own.st_ino || named.st_dev != own.st_dev {
            try open()
            change = .replaced
            if byteCount > 0, lastByte != 0x0A, pending.first != 0x0A { pending.insert(0x0A, at: 0) }
        } else if own.st_size < byteCount {
            change = .cut(lostBytes: byteCount - Int(own.st_size))
            byteCount = lineEnd(before: Int(own.st_size))
            isTorn = true
        } else if !isTorn {
            byteCount = Int(own.st_size)
        }
    }

    private mutating func cutTornLine() throws(FileError) {
        guard isTorn else { return }
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else {
            throw FileError(path, "cannot be truncated after its last whole line (\(systemReason())): check the disk")
        }
        isTorn = false
    }

    /// Writes the lines of a file that lost its name, still readable while it is open, under the name again.
    private mutating func restore() throws(FileError) {
        let partial = path + ".partial"
        do throws(FileError) {
            var writer = try FileWriter(partial, steps: steps)
            var offset = 0
            while offset < byteCount {
                let piece = part(offset, count: min(1 << 20, byteCount - offset))
                guard !piece.isEmpty else { throw FileError(path, "cannot be read: check the disk") }
                try writer.write(piece)
                offset += piece.count
            }
            try writer.finish()
            try FileSystem.rename(partial, to: path, steps: steps)
        } catch {
            _ = unsafe unlink(partial)
            throw error
        }
        try open()
    }

    /// Bytes of the open file; fewer at its end.
    private func part(_ offset: Int, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let read = unsafe pread(descriptor, &bytes, count, off_t(offset))
            if read < 0, errno == EINTR { continue }
            return Array(bytes.prefix(max(0, read)))
        }
    }

    private var lastByte: UInt8? { part(byteCount - 1, count: 1).last }

    /// The end of the last line within the first `count` bytes.
    private func lineEnd(before count: Int) -> Int {
        var end = count
        while end > 0 {
            let start = max(0, end - (1 << 16))
            if let found = part(start, count: end - start).lastIndex(of: 0x0A) { return start + found + 1 }
            end = start
        }
        return 0
    }
}
