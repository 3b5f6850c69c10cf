/// A borrowed run of keep bits, sixteen to a word: bit i of word w belongs to element 16 w + i.
@safe
package struct BitView: @unchecked Sendable {  // As FloatView: the owner of the arena prevents concurrent writes.
    package let base: UnsafeMutablePointer<UInt16>
    /// Number of words.
    package let count: Int
    private let owner: FloatView

    @unsafe
    init(base: UnsafeMutablePointer<UInt16>, count: Int, owner: FloatView) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
    }

    /// The words of `range`.
    package subscript(range: Range<Int>) -> BitView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) is outside of \(count) words")
        return unsafe BitView(base: base + range.lowerBound, count: range.count, owner: owner)
    }

    package subscript(word: Int) -> UInt16 {
        precondition(word >= 0 && word < count, "word \(word) of \(count)")
        return unsafe base[word]
    }

    /// Words that a row of `columns` elements needs.
    package static func words(columns: Int) -> Int { (columns + 15) / 16 }
}

extension Arena {
    /// `count` words of unspecified value.
    package func takeBits(_ count: Int) -> BitView {
        let floats = take((count + 1) / 2)
        let base = unsafe UnsafeMutableRawPointer(floats.base).bindMemory(to: UInt16.self, capacity: count)
        return unsafe BitView(base: base, count: count, owner: floats)
    }
}
