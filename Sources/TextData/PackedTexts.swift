/// Texts end to end in memory, in blocks of rows: a text costs its bytes and eight more, and no allocation of its own.
package struct PackedTexts: RandomAccessCollection, Equatable, ExpressibleByArrayLiteral, Sendable {
    private struct Block: Equatable, Sendable {
        var bytes: [UInt8] = []
        /// The end of each text in `bytes`.
        var ends: [Int] = []
    }

    /// All blocks but the last one have as many texts, so that a text is found without a search.
    private static let blockRows = 4_096

    private var blocks: [Block] = []
    package private(set) var count = 0

    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package init() {}

    package init(_ texts: some Sequence<String>) { for text in texts { append(text) } }

    package init(arrayLiteral texts: String...) { self.init(texts) }

    /// A copy of a text.
    /// - Complexity: O(bytes of the text).
    package subscript(row: Int) -> String {
        precondition(row >= 0 && row < count, "text \(row) of \(count)")
        let (block, place) = row.quotientAndRemainder(dividingBy: Self.blockRows)
        let start = place == 0 ? 0 : blocks[block].ends[place - 1]
        return String(decoding: blocks[block].bytes[start..<blocks[block].ends[place]], as: UTF8.self)
    }

    package mutating func append(_ text: String) {
        if count.isMultiple(of: Self.blockRows) { beginBlock() }
        let last = blocks.count - 1
        blocks[last].bytes.append(contentsOf: text.utf8)
        blocks[last].ends.append(blocks[last].bytes.count)
        count += 1
    }

    /// Makes room for about as many bytes as the block before has.
    private mutating func beginBlock() {
        var block = Block()
        if let before = blocks.last?.bytes.count {
            block.bytes.reserveCapacity(before + before / 16)
            block.ends.reserveCapacity(Self.blockRows)
        }
        blocks.append(block)
    }
}
