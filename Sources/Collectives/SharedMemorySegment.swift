internal import Glibc
package import Tensors

/// One writer's memory that other processes of the host map for reading.
///
/// A segment belongs to one writer and one generation and is never used again. Its pages exist from the start, so no
/// later write can run out of memory. The name exists only until every reader has mapped it.
@safe
package final class SharedMemorySegment: @unchecked Sendable {  // The phases of an exchange keep writer and readers apart.
    package let name: String
    /// Elements.
    package let count: Int
    private let base: UnsafeMutablePointer<Float>
    private let bytes: Int

    /// Makes the segment and maps it for writing.
    /// - Throws: ``SharedMemoryError``; nothing is left behind.
    package init(creating name: String, count: Int) throws(SharedMemoryError) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let file = unsafe shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SharedMemoryError(operation: "shm_open", code: errno, bytes: bytes) }
        defer { close(file) }
        var code = posix_fallocate(file, 0, bytes)
        while code == EINTR { code = posix_fallocate(file, 0, bytes) }
        guard code == 0 else {
            unsafe shm_unlink(name)
            throw SharedMemoryError(operation: "posix_fallocate", code: code, bytes: bytes)
        }
        guard let base = unsafe Self.map(file, bytes, PROT_READ | PROT_WRITE) else {
            code = errno
            unsafe shm_unlink(name)
            throw SharedMemoryError(operation: "mmap", code: code, bytes: bytes)
        }
        self.name = name
        self.count = count
        unsafe self.base = base
        self.bytes = bytes
    }

    /// Maps another writer's segment for reading.
    /// - Throws: ``SharedMemoryError``, also where the segment is not of `count` elements or not this user's.
    package init(reading name: String, count: Int) throws(SharedMemoryError) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let file = unsafe shm_open(name, O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { throw SharedMemoryError(operation: "shm_open", code: errno, bytes: bytes) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0, status.st_uid == geteuid(), Int(status.st_size) == bytes else {
            throw SharedMemoryError(operation: "fstat", code: EINVAL, bytes: bytes)
        }
        guard let base = unsafe Self.map(file, bytes, PROT_READ) else {
            throw SharedMemoryError(operation: "mmap", code: errno, bytes: bytes)
        }
        self.name = name
        self.count = count
        unsafe self.base = base
        self.bytes = bytes
    }

    deinit { unsafe munmap(base, bytes) }

    private static func map(_ file: Int32, _ bytes: Int, _ protection: Int32) -> UnsafeMutablePointer<Float>? {
        let address = unsafe mmap(nil, bytes, protection, MAP_SHARED, file, 0)
        guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1) else { return nil }
        return unsafe address.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
    }

    /// Takes the name away; the memory lasts as long as somebody maps it.
    package func unlink() { unsafe shm_unlink(name) }

    /// All elements. A reader's must not be written: the process would end.
    package var view: FloatView { unsafe FloatView(base: base, count: count, owner: self) }

    /// A name that nobody can guess.
    package static func privateName(using generator: inout some RandomNumberGenerator) -> String {
        "/apus-"
            + [generator.next(), generator.next()].map { (word: UInt64) in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }
}

/// Why memory cannot be shared here. The exchange then goes through the mesh.
package struct SharedMemoryError: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: String
    package let code: Int32
    package let bytes: Int

    package var description: String {
        let reason = unsafe String(cString: strerror(code))
        return "\(operation) of \(bytes) bytes of shared memory failed: \(reason); gradients go through sockets, give /dev/shm more room to go faster"
    }
}
