/// Which rows of the word table any batch has touched so far.
///
/// A row that no gradient ever touched has optimizer state zero, and without weight decay an update of exactly zero.
package struct TouchedRows: Sendable, Equatable {
    /// One bit per row, 64 to a word.
    package private(set) var words: [UInt64]
    package let rows: Int

    package init(rows: Int) {
        self.rows = rows
        words = [UInt64](repeating: 0, count: (rows + 63) / 64)
    }

    /// - Returns: nil if the words do not fit the number of rows, or have a bit beyond it.
    package init?(rows: Int, words: [UInt64]) {
        guard words.count == (rows + 63) / 64,
            rows % 64 == 0 || words.last.map({ $0 >> UInt64(rows % 64) == 0 }) ?? true
        else { return nil }
        self.rows = rows
        self.words = words
    }

    /// Whether a row is touched.
    package func contains(_ row: Int) -> Bool { words[row / 64] >> UInt64(row % 64) & 1 == 1 }

    /// Adds rows by their numbers.
    package mutating func insert(_ ids: [Int32]) {
        for id in ids { insert(id) }
    }

    /// - Returns: whether the row is new.
    @discardableResult
    package mutating func insert(_ id: Int32) -> Bool {
        let (place, bit) = (Int(id) / 64, UInt64(1) << UInt64(id % 64))
        defer { words[place] |= bit }
        return words[place] & bit == 0
    }

    package mutating func removeAll() {
        for place in words.indices { words[place] = 0 }
    }

    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Appends the touched rows, ascending.
    package func append(to list: inout [Int32]) {
        for (place, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                list.append(Int32(64 * place + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
    }
}
