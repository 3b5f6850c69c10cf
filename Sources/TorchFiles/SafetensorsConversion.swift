internal import Checkpoints
package import Files

/// Writes the tensors of a ``TorchFile`` as a safetensors file, byte for byte as safetensors' own writer does.
package enum SafetensorsConversion {
    package static func write(_ file: TorchFile, to path: String) throws(FileError) {
        var members = [JSONValue.Member("__metadata__", .object([.init("format", .string("pt"))]))]
        var offset = 0
        for tensor in file.tensors {
            members.append(
                .init(
                    tensor.name,
                    .object([
                        .init("dtype", .string(tensor.type.rawValue)),
                        .init("shape", .array(tensor.shape.map { .integer($0) })),
                        .init("data_offsets", .array([.integer(offset), .integer(offset + tensor.byteCount)])),
                    ])))
            offset += tensor.byteCount
        }
        var header = Array(JSONValue.object(members).line.utf8)
        guard header.count <= SafetensorsHeader.longest else {
            throw FileError(path, "would have a header of \(header.count) bytes: are these the weights of a model?")
        }
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        var writer = try FileWriter(path)
        try writer.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header)
        for tensor in file.tensors {
            try file.forEachPiece(of: tensor) { (piece) throws(FileError) in try writer.write(piece) }
        }
        try writer.finish()
    }
}
