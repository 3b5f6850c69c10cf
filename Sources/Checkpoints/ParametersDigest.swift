internal import Crypto
internal import Files

/// SHA-256 over named float tensors.
extension Digests {
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
}
