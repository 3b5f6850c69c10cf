/// Finds rows of a dataset with equal texts, second texts included, without keeping the texts again.
///
/// A hash table of row numbers: where hashes are equal, the texts themselves are compared.
struct EqualTexts {
    private let dataset: Dataset
    /// Half of each row's hash and, one up, its number; 0 if free. As many as a power of two, at least half free.
    private var slots: [UInt64]
    private let mask: Int

    /// - Complexity: O(1) time; memory for 16 to 32 bytes a row.
    init(_ dataset: Dataset) {
        precondition(dataset.count < Int(UInt32.max), "\(dataset.count) rows")
        self.dataset = dataset
        var size = 2
        while size < 2 * dataset.count { size *= 2 }
        slots = [UInt64](repeating: 0, count: size)
        mask = size - 1
    }

    /// The first of the rows that were asked for whose texts are this row's; the row itself if there is none.
    mutating func firstRow(like row: Int) -> Int {
        let (slot, found) = find(row, of: dataset)
        if let found { return found }
        slots[slot.index] = slot.half << 32 | UInt64(row + 1)
        return row
    }

    /// Whether a row of any dataset has the texts of one that was asked for.
    func contains(_ row: Int, of other: Dataset) -> Bool { find(row, of: other).row != nil }

    private func find(_ row: Int, of other: Dataset) -> (slot: (index: Int, half: UInt64), row: Int?) {
        let (text, pair) = (other.texts[row], other.pairs?[row])
        var hasher = Hasher()
        hasher.combine(text)
        hasher.combine(pair)
        let hash = UInt64(truncatingIfNeeded: hasher.finalize())
        let half = hash >> 32
        var index = Int(truncatingIfNeeded: hash) & mask
        while slots[index] != 0 {
            let known = Int(slots[index] & 0xFFFF_FFFF) - 1
            if slots[index] >> 32 == half, dataset.texts[known] == text, dataset.pairs?[known] == pair {
                return ((index, half), known)
            }
            index = (index + 1) & mask
        }
        return ((index, half), nil)
    }
}
