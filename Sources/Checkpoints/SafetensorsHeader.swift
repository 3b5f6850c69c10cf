package import Files

/// How a tensor's elements are stored.
package enum TensorType: Equatable, Sendable, CustomStringConvertible {
    case float32
    case float16
    case bfloat16
    case float64
    case int64
    /// Another type of the format, with its size in bits.
    case other(String, bits: Int)

    init?(_ name: String) {
        switch name {
        case "F32": self = .float32
        case "F16": self = .float16
        case "BF16": self = .bfloat16
        case "F64": self = .float64
        case "I64": self = .int64
        case "U64": self = .other(name, bits: 64)
        case "I32", "U32": self = .other(name, bits: 32)
        case "I16", "U16": self = .other(name, bits: 16)
        case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0": self = .other(name, bits: 8)
        default: return nil
        }
    }

    package var bits: Int {
        switch self {
        case .float32: 32
        case .float16, .bfloat16: 16
        case .float64, .int64: 64
        case .other(_, let bits): bits
        }
    }

    package var description: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        case .float64: "F64"
        case .int64: "I64"
        case .other(let name, _): name
        }
    }
}

/// One tensor of a safetensors file.
package struct TensorEntry: Equatable, Sendable {
    package let name: String
    package let type: TensorType
    package let shape: [Int]
    /// Bytes in the file.
    package let range: Range<Int>

    package var count: Int { shape.reduce(1, *) }
}

/// The header of a safetensors file, fully checked against the file's size.
package struct SafetensorsHeader: Equatable, Sendable {
    /// In the order of their bytes.
    package let tensors: [TensorEntry]
    package let metadata: [String: String]

    /// A longer header is refused: a BERT of a thousand layers has one of 2 MB, and parsed JSON takes 20 times its
    /// bytes.
    package static let longest = 8 << 20

    /// The end of the header, read from the file's first eight bytes.
    package static func end(of start: some Collection<UInt8>, fileSize: Int) throws(JSONError) -> Int {
        guard fileSize >= 8, start.count >= 8 else {
            throw JSONError(offset: 0, problem: "\(fileSize) bytes are too few for a header")
        }
        let length = start.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(fileSize - 8) else {
            throw JSONError(offset: 0, problem: "the header length is \(length) bytes, the file has \(fileSize)")
        }
        guard length <= UInt64(longest) else {
            throw JSONError(offset: 0, problem: "the header has \(length) bytes, at most \(longest) are read")
        }
        return 8 + Int(length)
    }

    /// Checks a header.
    ///
    /// Tensors fill the rest of the file without gap or overlap, as the format requires.
    /// - Parameters:
    ///   - bytes: the header without its length.
    ///   - fileSize: bytes of the whole file.
    /// - Complexity: O(bytes · log tensors) time, memory in proportion to `bytes`.
    package init(parsing bytes: [UInt8], fileSize: Int) throws(JSONError) {
        guard let members = try JSONValue(parsing: bytes).members else {
            throw JSONError(offset: 8, problem: "the header is not an object")
        }
        let data = 8 + bytes.count
        var metadata: [String: String] = [:]
        var tensors: [TensorEntry] = []
        for member in members {
            if member.key == "__metadata__" {
                guard let pairs = member.value.members else {
                    throw JSONError(offset: 8, problem: "__metadata__ is not an object")
                }
                for pair in pairs {
                    guard let text = pair.value.string else {
                        throw JSONError(offset: 8, problem: "__metadata__ has a value that is not a text")
                    }
                    metadata[pair.key] = text
                }
                continue
            }
            tensors.append(try Self.entry(member.key, member.value, data: data, fileSize: fileSize))
        }
        tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        var end = data
        for tensor in tensors {
            guard tensor.range.lowerBound == end else {
                throw JSONError(
                    offset: tensor.range.lowerBound,
                    problem:
                        "tensor \(tensor.name.prefix(80)) "
                        + "\(tensor.range.lowerBound < end ? "overlaps another" : "leaves a gap before it")"
                )
            }
            end = tensor.range.upperBound
        }
        guard end == fileSize else {
            throw JSONError(offset: end, problem: "the tensors end at byte \(end), the file at \(fileSize)")
        }
        self.tensors = tensors
        self.metadata = metadata
    }

    private static func entry(_ name: String, _ value: JSONValue, data: Int, fileSize: Int) throws(JSONError)
        -> TensorEntry
    {
        func bad(_ problem: String) -> JSONError {
            JSONError(offset: 8, problem: "tensor \(name.prefix(80)) \(problem)")
        }
        guard let typeName = value["dtype"]?.string else { throw bad("has no dtype") }
        guard let type = TensorType(typeName) else { throw bad("is of the unknown type \(typeName.prefix(20))") }
        guard let dimensions = value["shape"]?.array, let offsets = value["data_offsets"]?.array, offsets.count == 2,
            let start = offsets[0].integer, let end = offsets[1].integer
        else { throw bad("lacks its shape or its two offsets") }
        var shape: [Int] = []
        var count = 1
        for dimension in dimensions {
            guard let size = dimension.integer, size >= 0 else {
                throw bad("has a size that is not a whole number of at least 0")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow else { throw bad("has too many elements to address") }
            count = product
            shape.append(size)
        }
        let (bits, overflow) = count.multipliedReportingOverflow(by: type.bits)
        guard start >= 0, start <= end, end <= fileSize - data else {
            throw bad("lies at bytes \(start)..<\(end) of \(max(0, fileSize - data)): is the file whole?")
        }
        guard !overflow, bits / 8 == end - start else {
            throw bad(
                "has \(end - start) bytes, its shape \(shape) of \(type) needs \(overflow ? "more" : String(bits / 8))")
        }
        return TensorEntry(name: name, type: type, shape: shape, range: (data + start)..<(data + end))
    }
}
