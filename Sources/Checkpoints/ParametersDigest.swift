internal import Crypto

/// SHA-256 over named float tensors, and over files.
package enum Digests {
    /// Over each tensor in name order: name, a zero byte, rank and sizes as little-endian 64-bit integers, float32 bytes.
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

    package static func file(_ path: String) throws(FileError) -> String {
        let file = try MappedFile(path)
        var hash = SHA256()
        for start in stride(from: 0, to: file.count, by: 1 << 20) {
            file.withBytes(start..<min(start + 1 << 20, file.count)) { bytes in
                unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
            }
        }
        return hexadecimal(hash.finalize())
    }

    package static func bytes(_ bytes: [UInt8]) -> String { hexadecimal(SHA256.hash(data: bytes)) }

    private static func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
