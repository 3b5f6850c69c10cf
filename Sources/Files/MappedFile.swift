internal import Foundation

/// A file's bytes, read-only in memory, loaded by the system as they are touched.
@safe
package final class MappedFile: Sendable {
    package let path: String
    package let count: Int
    // Mapped to be read only, and never changed after init.
    nonisolated(unsafe) private let base: UnsafeRawPointer?

    package init(_ path: String) throws(FileError) {
        self.path = path
        // Without O_NONBLOCK, opening a pipe would block until another process writes to it.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw FileError(path, "cannot be opened (\(systemReason())): check the path and the permission")
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileError(path, "cannot be read (\(systemReason())): check the disk")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path, "is not a regular file: name one, or a folder with one")
        }
        count = Int(status.st_size)
        guard count > 0 else {
            unsafe base = nil
            return
        }
        let mapped = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard unsafe mapped != MAP_FAILED, let mapped = unsafe mapped else {
            throw FileError(path, "cannot be mapped (\(systemReason())): is there memory left?")
        }
        unsafe base = UnsafeRawPointer(mapped)
    }

    deinit { if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), count) } }

    /// A copy of some bytes.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        withBytes(range) { unsafe $0.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Lends some bytes without copying them.
    package func withBytes<Result>(_ range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bytes \(range) of \(count)")
        let buffer = unsafe UnsafeRawBufferPointer(start: base.map { unsafe $0 + range.lowerBound }, count: range.count)
        return unsafe body(buffer.bytes)
    }
}
