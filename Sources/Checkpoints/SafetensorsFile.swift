package import Files

/// A safetensors file, mapped, its header checked.
package final class SafetensorsFile: Sendable {
    package let path: String
    package let header: SafetensorsHeader
    private let file: MappedFile
    private let places: [String: Int]

    package init(_ path: String) throws(FileError) {
        file = try MappedFile(path)
        self.path = path
        try GitPointer.refuse(file)
        do {
            let end = try SafetensorsHeader.end(of: file.bytes(0..<min(8, file.count)), fileSize: file.count)
            header = try SafetensorsHeader(parsing: file.bytes(8..<end), fileSize: file.count)
        } catch {
            throw FileError(path, "is not a complete safetensors file: \(error): copy or download it again")
        }
        places = Dictionary(header.tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package var tensors: [TensorEntry] { header.tensors }

    package func tensor(_ name: String) -> TensorEntry? { places[name].map { header.tensors[$0] } }

    /// Copies a tensor of floats of any width into `values`, which must have its number of elements.
    package func readFloats(_ name: String, into values: inout MutableSpan<Float>) throws(FileError) {
        let entry = try entry(name)
        guard entry.count == values.count else {
            throw FileError(
                path, "tensor \(name) has \(entry.count) elements, expected \(values.count): is this the right file?")
        }
        switch entry.type {
        case .float32: read(entry, into: &values) { Float(bitPattern: $0 as UInt32) }
        case .float16: read(entry, into: &values) { Self.widen(half: $0) }
        case .bfloat16: read(entry, into: &values) { Float(bitPattern: UInt32($0 as UInt16) << 16) }
        case .float64: read(entry, into: &values) { Float(Double(bitPattern: $0 as UInt64)) }
        case .int64, .other:
            throw FileError(
                path, "tensor \(name) is of type \(entry.type), expected floats: convert the model to float32")
        }
    }

    /// A tensor of 64-bit integers.
    package func readIntegers(_ name: String) throws(FileError) -> [Int64] {
        let entry = try entry(name)
        guard entry.type == .int64 else {
            throw FileError(path, "tensor \(name) is of type \(entry.type), expected I64: is this the right file?")
        }
        return file.withBytes(entry.range) { bytes in
            (0..<entry.count).map { unsafe bytes.unsafeLoadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
        }
    }

    /// A tensor of floats as an array.
    /// - Parameter count: expected number of elements; nil accepts any.
    package func floats(_ name: String, count: Int? = nil) throws(FileError) -> [Float] {
        let entry = try entry(name)
        if let count, count != entry.count {
            throw FileError(
                path, "tensor \(name) has \(entry.count) elements, expected \(count): is this the right file?")
        }
        var values = [Float](repeating: 0, count: entry.count)
        var span = values.mutableSpan
        try readFloats(name, into: &span)
        return values
    }

    private func entry(_ name: String) throws(FileError) -> TensorEntry {
        guard let entry = tensor(name) else { throw FileError(path, "has no tensor \(name): is this the right file?") }
        return entry
    }

    private func read<Bits: BitwiseCopyable>(
        _ entry: TensorEntry, into values: inout MutableSpan<Float>, _ convert: (Bits) -> Float
    ) {
        let size = MemoryLayout<Bits>.size
        file.withBytes(entry.range) { bytes in
            for place in 0..<values.count {
                values[place] = convert(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place * size, as: Bits.self))
            }
        }
    }

    /// IEEE 754 half to single precision; Float16 is not available on every processor.
    static func widen(half bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let (exponent, fraction) = (UInt32(bits >> 10 & 0x1F), UInt32(bits & 0x3FF))
        switch exponent {
        case 0:
            let value = Float(fraction) * 0x1p-24
            return sign == 0 ? value : -value
        case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }
}
