package import Tensors

extension SparseRows {
    /// Adds rows of the same number in the order of `sum`; a leaf that lacks a row is passed over.
    ///
    /// - Parameter leaves: nil where no row is touched.
    /// - Complexity: each row is read once and each sum written once; O(ids · leaves) comparisons.
    package static func sum(of leaves: [SparseRows?], in sum: PartialSum, width: Int) -> SparseRows {
        let ids = mergedIDs(leaves.compactMap { $0?.ids })
        let result = SparseRows(ids: ids, width: width)
        let scratch = FloatBuffer(scratch: sum.depth * width).view
        var next = [Int](repeating: 0, count: leaves.count)

        /// The sum of the rows at hand, in `target` where something was added.
        func value(_ sum: PartialSum, _ target: FloatView, _ place: Int) -> FloatView? {
            switch sum {
            case .leaf(let leaf):
                guard let rows = leaves[leaf], next[leaf] < rows.ids.count, rows.ids[next[leaf]] == id else { return nil }
                return rows.row(next[leaf])
            case .sum(let left, let right):
                let first = value(left, target, place)
                let other = first == nil ? target : scratch.part(from: place * width, count: width)
                guard let second = value(right, other, place + 1) else { return first }
                guard let first else { return second }
                unsafe addElements(first.base, second.base, into: target.base, count: width)
                return target
            }
        }
        var id: Int32 = 0
        for (place, row) in ids.enumerated() {
            id = row
            let target = result.row(place)
            if let found = value(sum, target, 0), unsafe found.base != target.base { target.copy(from: found) }
            for leaf in leaves.indices {
                if let rows = leaves[leaf], next[leaf] < rows.ids.count, rows.ids[next[leaf]] == id { next[leaf] += 1 }
            }
        }
        return result
    }

    /// One list of the rows of all of `parts`, which have no row in common.
    package static func interleaved(_ parts: [SparseRows], width: Int) -> SparseRows {
        if parts.count == 1 { return parts[0] }
        let ids = mergedIDs(parts.map(\.ids))
        let result = SparseRows(ids: ids, width: width)
        var next = [Int](repeating: 0, count: parts.count)
        for (place, id) in ids.enumerated() {
            for part in parts.indices where next[part] < parts[part].ids.count && parts[part].ids[next[part]] == id {
                result.row(place).copy(from: parts[part].row(next[part]))
                next[part] += 1
            }
        }
        return result
    }

    /// All numbers of ascending `lists`, ascending, each once.
    private static func mergedIDs(_ lists: [[Int32]]) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(lists.reduce(0) { $0 + $1.count })
        for id in lists.joined().sorted() where ids.last != id { ids.append(id) }
        return ids
    }
}
