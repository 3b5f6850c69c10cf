internal import Glibc

/// A ``KeyRing`` in a file that only its owner may read.
package enum KeyFile {
    /// Why the file cannot be used.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case unreadable(path: String, code: Int32)
        case unwritable(path: String, code: Int32)
        case exposed(path: String, mode: UInt32)
        case malformed(path: String)

        package var description: String {
            switch self {
            case .unreadable(let path, let code):
                "\(path) cannot be read (\(systemReason(code))): give the path of a key made by apus keygen"
            case .unwritable(let path, EEXIST): "\(path) already exists: remove it, or choose another folder"
            case .unwritable(let path, let code):
                "\(path) cannot be written (\(systemReason(code))): choose another folder"
            case .exposed(let path, let mode):
                "\(path) has mode \(String(mode, radix: 8)), a key needs 600: run chmod 600, and make a new key if "
                    + "others may have read it"
            case .malformed(let path):
                "\(path) does not contain a public and a secret key of 40 characters that belong together: make one "
                    + "with apus keygen"
            }
        }
    }

    /// Room for the keys of 10,000 workers.
    private static let limit = 512 << 10

    /// Writes `ring` to a new file of mode 0600; an existing file is not changed.
    package static func write(_ ring: KeyRing, to path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
        let bytes = Array(ring.text.utf8)
        let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
        let code = errno
        guard close(descriptor) == 0, written == bytes.count else {
            _ = unsafe unlink(path)
            throw .unwritable(path: path, code: code)
        }
    }

    /// Reads a key ring from a file that only its owner may read.
    package static func read(_ path: String) throws(Failure) -> KeyRing {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, code: errno) }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: status.st_mode & 0o777) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw .unreadable(path: path, code: errno) }
        guard let ring = KeyRing(text: String(decoding: bytes.prefix(count), as: UTF8.self)) else {
            throw .malformed(path: path)
        }
        return ring
    }
}
