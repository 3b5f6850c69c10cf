internal import Files
internal import Hashes

/// SHA-256 over named float tensors.
extension Digests {
    /// Over each tensor in name order: name, a zero byte, rank and sizes as little-endian 64-bit integers, float32
    /// bytes.
    package static func parameters(_ tensors: [SafetensorsWriter.Tensor]) -> String {
        var hash = RunningHash()
        for tensor in tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            hash.update(Array(tensor.name.utf8) + [0])
            for number in [tensor.shape.count] + tensor.shape {
                hash.update((0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
            }
            tensor.lend { values in unsafe hash.update(values.bytes) }
        }
        return hexadecimal(hash.finish())
    }
}
