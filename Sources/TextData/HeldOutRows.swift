/// Which rows of a data file are held out for validation: a function of the rows, a share and a seed.
///
/// Rows with equal texts stay on one side, so that memorized texts are not scored. Each label has its share on both
/// sides, as closely as whole rows allow.
package struct HeldOutRows: Equatable, Sendable {
    /// Ascending row numbers, from 0.
    package let training: [Int]
    package let validation: [Int]

    /// - Parameters:
    ///   - share: of all rows; above 0 and below 1.
    ///   - stratified: whether to stratify by label.
    /// - Complexity: O(rows log rows).
    package init(_ dataset: Dataset, share: Double, seed: UInt64, stratified: Bool) {
        precondition(share > 0 && share < 1, "a share of \(share)")
        // Rows with one text are a group.
        var groupOfRow: [Int] = []
        var sizes: [Int] = []
        var texts = EqualTexts(dataset)
        for row in 0..<dataset.count {
            let first = texts.firstRow(like: row)
            groupOfRow.append(first == row ? sizes.count : groupOfRow[first])
            if first == row { sizes.append(1) } else { sizes[groupOfRow[first]] += 1 }
        }
        let groups = Self.groups(groupOfRow, sizes)
        // A text with two labels counts for the label of its first row.
        var strata: [[String]: [Int]] = [:]
        for group in Self.shuffled(sizes.count, seed: seed) {
            let label = stratified ? dataset.labels?[groups(group)[0]] ?? [] : []
            strata[label, default: []].append(group)
        }
        var (held, due, seen) = ([Int](), 0, 0)
        for label in strata.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let members = strata[label] ?? []
            seen += members.reduce(0) { $0 + sizes[$1] }
            // The rounding remainder of one label carries over to the next.
            due = Int((share * Double(seen)).rounded())
            for group in members where held.count + sizes[group] <= due { held += groups(group) }
        }
        validation = held.sorted()
        let isHeld = Set(held)
        training = (0..<dataset.count).filter { !isHeld.contains($0) }
    }

    /// The rows of each group, in their order.
    private static func groups(_ groupOfRow: [Int], _ sizes: [Int]) -> (Int) -> [Int] {
        var ends: [Int] = []
        for size in sizes { ends.append((ends.last ?? 0) + size) }
        var free = zip(ends, sizes).map { $0 - $1 }
        var rows = [Int](repeating: 0, count: groupOfRow.count)
        for (row, group) in groupOfRow.enumerated() {
            rows[free[group]] = row
            free[group] += 1
        }
        return { Array(rows[(ends[$0] - sizes[$0])..<ends[$0]]) }
    }

    private static func shuffled(_ count: Int, seed: UInt64) -> [Int] {
        var order = Array(0..<count)
        let random = Philox(key: seed)
        for last in stride(from: count - 1, to: 0, by: -1) {
            let bits = random([UInt32(last), 0, 0, purpose])
            let draw = UInt64(bits[1]) << 32 | UInt64(bits[0])
            order.swapAt(last, Int(draw.multipliedFullWidth(by: UInt64(last + 1)).high))
        }
        return order
    }

    /// Separates these draws from other uses of the same seed.
    private static let purpose: UInt32 = 0x5350_4C49
}
