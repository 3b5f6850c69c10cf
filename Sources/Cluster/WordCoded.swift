internal import Foundation

/// A value that travels as a row of whole numbers: what is sent at every step, where JSON costs more than the rest of a call.
///
/// Each number is 8 bytes, little-endian. As a part of another value it is the base64 of these.
package protocol WordCoded: Codable {
    var words: [UInt64] { get }
    /// - Returns: nil unless `words` are those of a value, to the last one.
    init?(words: [UInt64])
}

extension WordCoded {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(wordBytes: try container.decode(Data.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "these numbers are not a \(Self.self)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wordBytes)
    }

    var wordBytes: Data {
        let words = words.map(\.littleEndian)
        return unsafe words.withUnsafeBytes { unsafe Data($0) }
    }

    init?(wordBytes bytes: some DataProtocol) {
        let (count, rest) = bytes.count.quotientAndRemainder(dividingBy: MemoryLayout<UInt64>.size)
        guard rest == 0 else { return nil }
        let words = unsafe [UInt64](unsafeUninitializedCapacity: count) { words, written in
            unsafe bytes.copyBytes(to: UnsafeMutableRawBufferPointer(words))
            written = count
        }
        self.init(words: words.map(UInt64.init(littleEndian:)))
    }
}

/// Reads a row of words one by one.
package struct WordReader {
    private var rest: ArraySlice<UInt64>

    package init(_ words: [UInt64]) { rest = words[...] }

    package var isAtEnd: Bool { rest.isEmpty }

    /// The next word; nil at the end.
    package mutating func next() -> UInt64? { rest.popFirst() }

    /// The next word as a count or number; nil where it is none.
    package mutating func nextInteger() -> Int? { rest.popFirst().flatMap { Int(exactly: Int64(bitPattern: $0)) } }

    /// As many words as the next one says; nil where they are not there.
    package mutating func nextRow() -> [UInt64]? {
        guard let count = nextInteger(), (0...rest.count).contains(count) else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}

extension [UInt64] {
    package mutating func append(integer: Int) { append(UInt64(bitPattern: Int64(integer))) }

    /// Appends a row and before it its length.
    package mutating func append(row: [UInt64]) {
        append(UInt64(row.count))
        self += row
    }
}
