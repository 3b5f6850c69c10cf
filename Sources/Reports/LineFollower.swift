internal import Foundation

/// Reads the whole lines of a file as it grows, and all of them again if it was shortened or replaced.
package struct LineFollower: ~Copyable {
    private let path: String
    private var file = (device: dev_t(0), number: ino_t(0))
    /// Bytes taken over, and the last of them: a file that was rewritten has others there.
    private var offset = 0
    private var before: [UInt8] = []
    /// A line that has no end yet.
    private var rest: [UInt8] = []

    private static let piece = 1 << 20
    private static let checked = 64
    /// A longer line is skipped.
    private static let longestLine = 16 << 20

    package init(_ path: String) { self.path = path }

    /// Reads what is new. A file that is missing or is not one, such as a folder, has nothing.
    /// - Parameters:
    ///   - restart: called if all earlier lines no longer count.
    ///   - take: called with each new line.
    /// - Returns: whether anything has changed.
    package mutating func refresh(restart: () -> Void, take: (ArraySlice<UInt8>) -> Void) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return forget(restart) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return forget(restart) }
        var isNew = false
        if (status.st_dev, status.st_ino) != file || status.st_size < offset || !isContinued(descriptor) {
            isNew = forget(restart)
            file = (status.st_dev, status.st_ino)
        }
        while true {
            var buffer = [UInt8](repeating: 0, count: Self.piece)
            let count = unsafe pread(descriptor, &buffer, buffer.count, off_t(offset))
            guard count > 0 else { return isNew }
            isNew = true
            add(buffer[..<count], take)
        }
    }

    private mutating func forget(_ restart: () -> Void) -> Bool {
        guard offset > 0 else { return false }
        (offset, before, rest) = (0, [], [])
        restart()
        return true
    }

    private func isContinued(_ descriptor: CInt) -> Bool {
        guard !before.isEmpty else { return true }
        var buffer = [UInt8](repeating: 0, count: before.count)
        let count = unsafe pread(descriptor, &buffer, buffer.count, off_t(offset - before.count))
        return count == before.count && buffer == before
    }

    private mutating func add(_ bytes: ArraySlice<UInt8>, _ take: (ArraySlice<UInt8>) -> Void) {
        offset += bytes.count
        before = Array((before + bytes.suffix(Self.checked)).suffix(Self.checked))
        rest += bytes
        guard let end = rest.lastIndex(of: 0x0A) else {
            // The end of such a line makes no sense by itself, and is skipped like other nonsense.
            if rest.count > Self.longestLine { rest = [UInt8(ascii: "?")] }
            return
        }
        for line in rest[..<end].split(separator: 0x0A) { take(line) }
        rest.removeSubrange(...end)
    }
}
