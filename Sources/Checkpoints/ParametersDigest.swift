internal import Crypto
internal import Foundation

/// SHA-256 over named float tensors, and over files.
package enum Digests {
    /// Over each tensor in name order: name, a zero byte, rank and sizes as little-endian 64-bit integers, float32
    /// bytes.
    package static func parameters(_ tensors: [SafetensorsWriter.Tensor]) -> String {
        var hash = SHA256()
        for tensor in tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            hash.update(data: Array(tensor.name.utf8) + [0])
            for number in [tensor.shape.count] + tensor.shape {
                hash.update(data: (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
            }
            tensor.lend { values in unsafe values.bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) } }
        }
        return hexadecimal(hash.finalize())
    }

    /// Read in chunks, so that a large file does not count as this process's memory.
    package static func file(_ path: String) throws(FileError) -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw FileError(path, "cannot be opened") }
        var hash = SHA256()
        do {
            while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty { hash.update(data: data) }
        } catch {
            throw FileError(path, "cannot be read (\(error.localizedDescription))")
        }
        return hexadecimal(hash.finalize())
    }

    package static func bytes(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * SHA256.byteCount)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
