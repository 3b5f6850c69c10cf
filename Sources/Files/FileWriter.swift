internal import CSystem
internal import Foundation

/// The steps in which files reach the disk. Tests let one of them fail, or end the process there.
package protocol FileSteps: Sendable {
    /// Called before each step; throws to make it fail.
    func before(_ step: String, _ path: String) throws(FileError)

    /// How many of `count` bytes the next write takes; a negative number is its error code.
    func room(for count: Int) -> Int

    /// Exchanges what two names stand for, in one step.
    /// - Returns: 0, or the system's error code.
    func exchange(_ first: String, _ second: String) -> CInt
}

extension FileSteps {
    package func room(for count: Int) -> Int { count }
    package func exchange(_ first: String, _ second: String) -> CInt {
        unsafe apus_exchange_names(first, second) == 0 ? 0 : errno
    }
}

/// Performs every step.
package struct PlainFileSteps: FileSteps {
    package init() {}
    package func before(_ step: String, _ path: String) throws(FileError) {}
}

/// A new file that is written sequentially.
package struct FileWriter: ~Copyable {
    private let descriptor: CInt
    private let path: String
    private let steps: any FileSteps

    /// Creates the file. An existing file or link of that name is removed first; a link's target is not changed.
    /// - Parameter isPrivate: whether only its owner may read it.
    package init(_ path: String, isPrivate: Bool = false, steps: any FileSteps = PlainFileSteps()) throws(FileError) {
        try steps.before("create", path)
        _ = unsafe unlink(path)
        let opened = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, isPrivate ? 0o600 : 0o644)
        guard opened >= 0 else {
            throw FileError(path, "cannot be created (\(systemReason())): check the folder and the permission")
        }
        descriptor = opened
        self.path = path
        self.steps = steps
    }

    /// Appends bytes.
    package mutating func write(_ bytes: RawSpan) throws(FileError) {
        let code = DescriptorWriting.write(bytes, to: descriptor, steps: steps)
        guard code == 0 else { throw FileError(unwritable: path, code) }
    }

    package mutating func write(_ bytes: [UInt8]) throws(FileError) { try unsafe write(bytes.span.bytes) }

    /// Syncs the file to disk and closes it.
    package consuming func finish() throws(FileError) {
        try steps.before("sync", path)
        guard fsync(descriptor) == 0 else {
            throw FileError(path, "cannot be synced to disk (\(systemReason())): is it full or failing?")
        }
    }

    deinit { close(descriptor) }
}

/// Writing to open descriptors.
package enum DescriptorWriting {
    /// Writes all bytes, in as many calls as the system needs.
    /// - Returns: 0, or the error code of the call that failed; some of the bytes may have been written then.
    static func write(_ bytes: RawSpan, to descriptor: CInt, steps: any FileSteps) -> CInt {
        unsafe bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let room = steps.room(for: bytes.count - done)
                guard room >= 0 else { return CInt(-room) }
                let count = unsafe Foundation.write(descriptor, bytes.baseAddress.map { unsafe $0 + done }, room)
                if count > 0 {
                    done += count
                } else if count == 0 {
                    return ENOSPC
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Writes all bytes.
    /// - Returns: 0, or the system's error code.
    @discardableResult
    package static func write(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
        unsafe write(bytes.span.bytes, to: descriptor, steps: PlainFileSteps())
    }
}
