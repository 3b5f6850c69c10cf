internal import Glibc

/// A key pair in a file that its owner alone may read.
///
/// Two lines: `public` and `secret`, each followed by its 40 characters.
package enum KeyFile {
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case unreadable(path: String, code: Int32)
        case unwritable(path: String, code: Int32)
        case exposed(path: String, mode: UInt32)
        case malformed(path: String)

        package var description: String {
            switch self {
            case .unreadable(let path, let code): "\(path) cannot be read (\(reason(code))): give the path of a key made by apus keygen"
            case .unwritable(let path, EEXIST): "\(path) exists already: remove it, or choose another folder"
            case .unwritable(let path, let code): "\(path) cannot be written (\(reason(code))): choose another folder"
            case .exposed(let path, let mode):
                "\(path) has mode \(String(mode, radix: 8)), a key needs 600: run chmod 600, and make a new key if others may have read it"
            case .malformed(let path): "\(path) does not hold a public and a secret key of 40 characters: make one with apus keygen"
            }
        }
    }

    /// The text of a key file: also what travels over a standard input that nobody else sees.
    package static func text(of pair: KeyPair) -> String {
        "public \(pair.publicKey.text)\nsecret \(pair.secretKey.text)\n"
    }

    /// The key pair in `text`, or nil when it is not one.
    package static func parse(_ text: String) -> KeyPair? {
        var halves: [Substring: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard words.count == 2, halves.updateValue(String(words[1]), forKey: words[0]) == nil else { return nil }
        }
        guard halves.count == 2, let publicKey = halves["public"].flatMap(PublicKey.init), let secretKey = halves["secret"].flatMap(SecretKey.init)
        else { return nil }
        return KeyPair(publicKey: publicKey, secretKey: secretKey)
    }

    /// Writes `pair` to a new file of mode 0600; an existing file stays as it is.
    package static func write(_ pair: KeyPair, to path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, code: errno) }
        let bytes = Array(text(of: pair).utf8)
        let written = unsafe Glibc.write(descriptor, bytes, bytes.count)
        let code = errno
        guard close(descriptor) == 0, written == bytes.count else {
            _ = unsafe unlink(path)
            throw .unwritable(path: path, code: code)
        }
    }

    /// Reads a key pair from a file that nobody but its owner may read.
    package static func read(_ path: String) throws(Failure) -> KeyPair {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(path: path, code: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, code: errno) }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path, mode: status.st_mode & 0o777) }
        var bytes = [UInt8](repeating: 0, count: 1_024)
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw .unreadable(path: path, code: errno) }
        guard let pair = parse(String(decoding: bytes.prefix(count), as: UTF8.self)) else { throw .malformed(path: path) }
        return pair
    }
}

private func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
