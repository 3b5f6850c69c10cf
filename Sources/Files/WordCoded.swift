internal import Foundation

/// A value that is encoded as 64-bit words: messages of every step use it, for which JSON would cost more than the rest
/// of the call.
///
/// Each word is 8 bytes, little-endian. Inside another value it is the base64 of these.
package protocol WordCoded: Codable {
    var words: [UInt64] { get }
    /// - Returns: nil unless `words` encode exactly one value.
    init?(words: [UInt64])
}

extension WordCoded {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = [UInt64](bytes: Array(try container.decode(Data.self))[...]).flatMap(Self.init(words:)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "these numbers are not a \(Self.self)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(words.bytes))
    }
}

/// Reads 64-bit words one by one.
package struct WordReader {
    private var rest: ArraySlice<UInt64>

    package init(_ words: [UInt64]) { rest = words[...] }

    package var isAtEnd: Bool { rest.isEmpty }

    /// The next word; nil at the end.
    package mutating func next() -> UInt64? { rest.popFirst() }

    /// The next word as a count or number; nil if it is not one.
    package mutating func nextInteger() -> Int? { rest.popFirst().flatMap { Int(exactly: Int64(bitPattern: $0)) } }

    /// A list of words after its length; nil if words are missing.
    package mutating func nextRow() -> [UInt64]? {
        guard let count = nextInteger(), (0...rest.count).contains(count) else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}

extension [UInt64] {
    /// The words' bytes.
    package var bytes: [UInt8] {
        let words = map { $0.littleEndian }
        return unsafe words.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// The words of these bytes; nil if they are not a multiple of 8 bytes.
    package init?(bytes: ArraySlice<UInt8>) {
        let size = MemoryLayout<UInt64>.size
        guard bytes.count % size == 0 else { return nil }
        self = unsafe bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: size).map {
                unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
            }
        }
    }

    /// Appends a count or number as one word.
    package mutating func append(integer: Int) { append(UInt64(bitPattern: Int64(integer))) }

    /// Appends the length of a list and its words.
    package mutating func append(row: [UInt64]) {
        append(UInt64(row.count))
        self += row
    }
}
