package import Files

/// Writes tensors of float32 and of 64-bit integers as a safetensors file, one after another, without copying them in
/// memory.
package enum SafetensorsWriter {
    /// One tensor to write; `lend` passes its elements to a closure.
    package struct Tensor {
        package let name: String
        package let shape: [Int]
        let type: TensorType
        package let lend: ((Span<Float>) -> Void) -> Void

        package init(_ name: String, _ shape: [Int], lend: @escaping ((Span<Float>) -> Void) -> Void) {
            self.name = name
            self.shape = shape
            type = .float32
            self.lend = lend
        }

        /// A row of 64-bit integers.
        package init(_ name: String, integers: [Int64]) {
            self.name = name
            shape = [integers.count]
            type = .int64
            // Two halves each, low first, as in the file.
            let halves = integers.flatMap { number in
                [
                    Float(bitPattern: UInt32(truncatingIfNeeded: number)),
                    Float(bitPattern: UInt32(truncatingIfNeeded: number >> 32)),
                ]
            }
            lend = { use in use(halves.span) }
        }

        var byteCount: Int { shape.reduce(type.bits / 8, *) }
    }

    /// Writes the file and syncs it to disk.
    package static func write(
        _ tensors: [Tensor], metadata: [(String, String)] = [("format", "pt")], to path: String,
        steps: any FileSteps = PlainFileSteps()
    ) throws(FileError) {
        var members = [JSONValue.Member("__metadata__", .object(metadata.map { .init($0.0, .string($0.1)) }))]
        var offset = 0
        for tensor in tensors {
            let bytes = tensor.byteCount
            members.append(
                .init(
                    tensor.name,
                    .object([
                        .init("dtype", .string(tensor.type.description)),
                        .init("shape", .array(tensor.shape.map { .integer($0) })),
                        .init("data_offsets", .array([.integer(offset), .integer(offset + bytes)])),
                    ])))
            offset += bytes
        }
        var header = Array(JSONValue.object(members).line.utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        var writer = try FileWriter(path, steps: steps)
        try writer.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header)
        for tensor in tensors {
            var failure: FileError?
            var written = 0
            // The elements' own bytes: every processor that the kernels run on is little-endian.
            tensor.lend { values in
                written = values.count
                do throws(FileError) { try unsafe writer.write(values.bytes) } catch { failure = error }
            }
            if let failure { throw failure }
            precondition(
                written * MemoryLayout<Float>.stride == tensor.byteCount,
                "\(tensor.name) has \(written) elements, not \(tensor.shape)")
        }
        try writer.finish()
    }
}
