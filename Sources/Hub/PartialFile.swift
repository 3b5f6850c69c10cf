internal import Files
internal import Foundation

/// A file that is being written: it is under a temporary name until it is complete and has been compared.
final class PartialFile {
    let path: String
    private let descriptor: CInt
    private(set) var count: Int
    /// Whether some of it is from an earlier process.
    private(set) var isResumed: Bool

    /// Opens what an interrupted download has left, or a new file.
    ///
    /// Anything but a plain file of one name and this user is removed first. The caller holds the file's lock.
    /// - Parameter limit: a longer file is not one to go on with; 0 for always a new file.
    init(_ path: String, limit: Int) throws(HubError) {
        self.path = path
        if let (found, size) = Self.remains(path, limit) {
            (descriptor, count, isResumed) = (found, size, true)
            return
        }
        _ = unsafe unlink(path)
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        (count, isResumed) = (0, false)
        guard descriptor >= 0 else { throw Self.failure(path, "created") }
    }

    private static func remains(_ path: String, _ limit: Int) -> (CInt, size: Int)? {
        let descriptor = unsafe open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1,
            status.st_uid == geteuid(), (1...max(1, limit)).contains(Int(status.st_size)), limit > 0,
            lseek(descriptor, 0, SEEK_END) == status.st_size
        else {
            close(descriptor)
            return nil
        }
        return (descriptor, Int(status.st_size))
    }

    func write(_ bytes: [UInt8]) throws(HubError) {
        let code = DescriptorWriting.write(bytes, to: descriptor)
        guard code == 0 else {
            throw HubError(
                "\(path): cannot be written (\(systemReason(code))): make room, or set "
                    + "HF_HUB_CACHE to a folder on another disk")
        }
        count += bytes.count
    }

    /// Begins again at the first byte.
    func restart() throws(HubError) {
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw Self.failure(path, "emptied")
        }
        (count, isResumed) = (0, false)
    }

    /// Syncs it to disk and gives it its name, in place of what had it.
    func place(at target: String) throws(HubError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(path, "synced to disk") }
        guard unsafe rename(path, target) == 0 else { throw Self.failure(target, "put in place") }
    }

    func remove() { _ = unsafe unlink(path) }

    private static func failure(_ path: String, _ what: String) -> HubError {
        let reason = systemReason()
        return HubError(
            "\(path): cannot be \(what) (\(reason)): check the folder, or set HF_HUB_CACHE to another one")
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}

/// A lock that other processes see, Python's `filelock` among them, until it is dropped.
final class FileLock {
    private let descriptor: CInt

    /// - Parameter onBusy: called before it waits for another process.
    init(_ path: String, onBusy: () -> Void) throws(HubError) {
        var opened: CInt
        while true {
            opened = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o664)
            guard opened >= 0 else { break }
            if flock(opened, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
                onBusy()
                while flock(opened, LOCK_EX) != 0, errno == EINTR {}
            }
            // Some file systems have no locks: then two downloads may work at once, and the files' hashes decide.
            var status = stat()
            if unsafe fstat(opened, &status) != 0 || status.st_nlink > 0 { break }
            close(opened)  // its last holder has removed it
        }
        descriptor = opened
        guard opened >= 0 else {
            let reason = systemReason()
            throw HubError("\(path): cannot be opened (\(reason)): check the permission, or set HF_HUB_CACHE")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
