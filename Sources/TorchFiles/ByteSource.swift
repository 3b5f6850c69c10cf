package import Files

/// Bytes that are read here and there: of a mapped file, or in memory.
package struct ByteSource {
    package let count: Int
    private let read: (Range<Int>) -> [UInt8]

    package init(_ file: MappedFile) {
        count = file.count
        read = { file.bytes($0) }
    }

    package init(_ bytes: [UInt8]) {
        count = bytes.count
        read = { Array(bytes[$0]) }
    }

    /// - Precondition: the range lies within.
    package func bytes(_ range: Range<Int>) -> [UInt8] { read(range) }
}

extension Collection<UInt8> where Index == Int {
    /// A little-endian number of `width` bytes at an offset from the start; nil beyond the end or above `Int.max`.
    func number(at offset: Int, width: Int) -> Int? {
        guard offset >= 0, offset + width <= count else { return nil }
        let start = startIndex + offset
        let value = self[start..<(start + width)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(exactly: value)
    }
}
