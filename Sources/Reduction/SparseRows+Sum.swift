package import Tensors

extension SparseRows {
    /// Adds rows of the same number in the order of `sum`; a leaf that lacks a row is skipped.
    ///
    /// - Parameters:
    ///   - leaves: nil if no row is touched.
    ///   - pool: provides the sum's memory.
    /// - Complexity: each row is read once and each sum written once; O(ids · leaves) comparisons.
    package static func sum(of leaves: [RowList?], in sum: PartialSum, width: Int, from pool: SparseRowPool)
        -> SparseRows
    {
        let result = pool.take(atMost: leaves.reduce(0) { $0 + ($1?.ids.count ?? 0) }, width: width) {
            merge(leaves.map { $0?.ids ?? [] }, into: &$0)
        }
        let scratch = FloatBuffer(scratch: sum.depth * width).view
        var next = [Int](repeating: 0, count: leaves.count)

        /// The sum of the available rows, in `target` if anything was added.
        func value(_ sum: PartialSum, _ target: FloatView, _ place: Int) -> FloatView? {
            switch sum {
            case .leaf(let leaf):
                guard let rows = leaves[leaf], next[leaf] < rows.ids.count, rows.ids[next[leaf]] == id else {
                    return nil
                }
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
        for (place, row) in result.ids.enumerated() {
            id = row
            let target = result.row(place)
            if let found = value(sum, target, 0), unsafe found.base != target.base { target.copy(from: found) }
            for leaf in leaves.indices {
                if let rows = leaves[leaf], next[leaf] < rows.ids.count, rows.ids[next[leaf]] == id { next[leaf] += 1 }
            }
        }
        return result
    }

    /// `left + right`, in memory of `pool`; a row that only one of them has is copied.
    package static func sum(_ left: SparseRows, _ right: SparseRows, from pool: SparseRowPool) -> SparseRows {
        precondition(left.width == right.width, "rows of \(left.width) and of \(right.width)")
        let (a, b) = (left.ids, right.ids)
        /// Enumerates the rows of both in ascending order: their indices in `left` and `right`, nil if one lacks the
        /// row.
        func merge(_ body: (Int?, Int?) -> Void) {
            var (i, j) = (0, 0)
            while i < a.count || j < b.count {
                let isLeft = j == b.count || i < a.count && a[i] <= b[j]
                let isRight = i == a.count || j < b.count && b[j] <= a[i]
                body(isLeft ? i : nil, isRight ? j : nil)
                if isLeft { i += 1 }
                if isRight { j += 1 }
            }
        }
        let result = pool.take(atMost: a.count + b.count, width: left.width) { ids in
            merge { i, j in ids.append(i.map { a[$0] } ?? b[j ?? 0]) }
        }
        var place = 0
        merge { i, j in
            let target = result.row(place)
            place += 1
            if let i, let j {
                unsafe addElements(left.row(i).base, right.row(j).base, into: target.base, count: target.count)
            } else if let i {
                target.copy(from: left.row(i))
            } else if let j {
                target.copy(from: right.row(j))
            }
        }
        return result
    }

    /// One list of the rows of all of `parts`, which are disjoint.
    package static func interleaved(_ parts: [SparseRows], width: Int) -> SparseRows {
        if parts.count == 1 { return parts[0] }
        var ids: [Int32] = []
        merge(parts.map(\.ids), into: &ids)
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

    /// Merges ascending lists of numbers: ascending, each number once.
    private static func merge(_ lists: [[Int32]], into ids: inout [Int32]) {
        var next = [Int](repeating: 0, count: lists.count)
        func least() -> Int32? {
            var least: Int32?
            for (place, list) in lists.enumerated() where next[place] < list.count {
                least = min(least ?? .max, list[next[place]])
            }
            return least
        }
        while let id = least() {
            ids.append(id)
            for (place, list) in lists.enumerated() where next[place] < list.count && list[next[place]] == id {
                next[place] += 1
            }
        }
    }
}
