internal import Glibc
internal import Synchronization
package import Tensors

/// One writer's memory that other processes of the host map read-only.
///
/// A segment belongs to one writer and one generation and is never used again. Its pages are allocated from the start,
/// so no later write can run out of memory. The name exists only until every reader has mapped it, and is locked until
/// then: the kernel releases the lock of a process that was killed meanwhile, and another process removes the name.
@safe
package final class SharedMemorySegment: @unchecked Sendable {  // An exchange's phases separate writing from reading.
    package let name: String
    /// Elements.
    package let count: Int
    private let base: UnsafeMutablePointer<Float>
    private let bytes: Int
    /// Holds the name's lock; nil for readers, and once the name is removed.
    private let locked: Mutex<Int32?>

    /// Creates the segment and maps it for writing.
    /// - Throws: ``SharedMemoryError``; nothing is left behind.
    package init(creating name: String, count: Int) throws(SharedMemoryError) {
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let file = unsafe shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SharedMemoryError(operation: "shm_open", code: errno, bytes: bytes) }
        _ = flock(file, LOCK_EX | LOCK_NB)
        var code = posix_fallocate(file, 0, bytes)
        while code == EINTR { code = posix_fallocate(file, 0, bytes) }
        guard code == 0 else {
            unsafe shm_unlink(name)
            close(file)
            throw SharedMemoryError(operation: "posix_fallocate", code: code, bytes: bytes)
        }
        guard let base = unsafe Self.map(file, bytes, PROT_READ | PROT_WRITE) else {
            code = errno
            unsafe shm_unlink(name)
            close(file)
            throw SharedMemoryError(operation: "mmap", code: code, bytes: bytes)
        }
        locked = Mutex(file)
        self.name = name
        self.count = count
        unsafe self.base = base
        self.bytes = bytes
    }

    /// Maps another writer's segment for reading.
    /// - Throws: ``SharedMemoryError``, also if the segment does not have `count` elements or belongs to another user.
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
        locked = Mutex(nil)
        self.name = name
        self.count = count
        unsafe self.base = base
        self.bytes = bytes
    }

    deinit {
        unsafe munmap(base, bytes)
        unlock()
    }

    private func unlock() {
        let file = locked.withLock { $0.take() }
        if let file { close(file) }
    }

    private static func map(_ file: Int32, _ bytes: Int, _ protection: Int32) -> UnsafeMutablePointer<Float>? {
        let address = unsafe mmap(nil, bytes, protection, MAP_SHARED, file, 0)
        guard let address = unsafe address, unsafe address != UnsafeMutableRawPointer(bitPattern: -1) else {
            return nil
        }
        return unsafe address.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
    }

    /// Removes the name; the memory lasts as long as a process maps it.
    package func unlink() {
        unsafe shm_unlink(name)
        unlock()
    }

    /// Removes the names, and with them the memory, that killed processes of this user left behind.
    ///
    /// - Parameter age: younger segments, in seconds, may not be locked yet and are left alone.
    package static func removeAbandoned(olderThan age: Int = 60) {
        guard let folder = unsafe opendir("/dev/shm") else { return }
        defer { unsafe closedir(folder) }
        let youngest = time(nil) - age
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard name.hasPrefix(prefix.dropFirst()) else { continue }
            let file = unsafe shm_open("/" + name, O_RDWR | O_CLOEXEC, 0)
            guard file >= 0 else { continue }
            defer { close(file) }
            var status = stat()
            guard unsafe fstat(file, &status) == 0, status.st_uid == geteuid(), status.st_mtim.tv_sec <= youngest else {
                continue
            }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unsafe shm_unlink("/" + name) }
        }
    }

    private static let prefix = "/apus-"

    /// All elements. A reader must not write: the process would end.
    package var view: FloatView { unsafe FloatView(base: base, count: count, owner: self) }

    /// An unguessable name.
    package static func privateName(using generator: inout some RandomNumberGenerator) -> String {
        prefix
            + [generator.next(), generator.next()].map { (word: UInt64) in
                let digits = String(word, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }.joined()
    }
}

/// Why memory cannot be shared here. The exchange then uses the mesh.
package struct SharedMemoryError: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: String
    package let code: Int32
    package let bytes: Int

    package var description: String {
        let reason = unsafe String(cString: strerror(code))
        let remedy =
            switch code {
            case EFBIG: "raise the limit on the size of files with ulimit -f unlimited"
            case ENOMEM: "raise the limit of the address space with ulimit -v unlimited"
            case EMFILE: "raise the limit of open files with ulimit -n"
            default: "give /dev/shm more room"
            }
        return
            "\(operation) of \(bytes) bytes of shared memory failed: \(reason); gradients use sockets instead, which "
            + "is slower: \(remedy)"
    }
}
