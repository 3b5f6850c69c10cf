internal import Foundation
internal import Hashes

/// SHA-256 as lowercase hexadecimal digits.
package enum Digests {
    /// Read in chunks, so that a large file does not count as this process's memory.
    package static func file(_ path: String) throws(FileError) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileError(path, "cannot be opened") }
        var hash = RunningHash()
        do {
            while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty { hash.update(data.bytes) }
        } catch {
            throw FileError(path, "cannot be read (\(error.localizedDescription))")
        }
        return hexadecimal(hash.finish())
    }

    /// The digest of bytes in memory.
    package static func bytes(_ bytes: [UInt8]) -> String { hexadecimal(RunningHash.sha256(bytes)) }

    /// Two lowercase digits a byte.
    package static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * digest.underestimatedCount)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
