internal import CVectorMath
package import Tensors

/// Sums the word, type and position rows of each token.
///
/// Shapes: `ids`, `positions`, `types` (T); `words` (V, D), `positionTable` (P, D), `typeTable` (2, D); `y` (T, D).
package func embed(
    ids: [Int32], positions: [Int32], types: [UInt8], words: Matrix, positionTable: Matrix, typeTable: Matrix, into y: Matrix
) {
    precondition(ids.count == y.rows && positions.count == y.rows && types.count == y.rows)
    precondition(words.columns == y.columns && positionTable.columns == y.columns && typeTable.columns == y.columns)
    for token in 0..<ids.count {
        precondition(ids[token] >= 0 && ids[token] < words.rows, "token id \(ids[token]) of \(words.rows)")
        precondition(positions[token] >= 0 && positions[token] < positionTable.rows, "position \(positions[token]) of \(positionTable.rows)")
        precondition(types[token] < typeTable.rows, "token type \(types[token]) of \(typeTable.rows)")
    }
    unsafe apus_embed(
        y.rows, y.columns, ids, positions, types, words.elements.base, positionTable.elements.base, typeTable.elements.base,
        y.elements.base)
}

/// Tokens gathered by a key, each group in token order.
package struct TokenGroups: Sendable {
    /// The distinct keys, ascending; or all keys below a limit.
    package let keys: [Int32]
    /// Where each group begins in `order`, and the end.
    package let starts: [Int32]
    /// Token numbers, group after group; a token may be in none.
    package let order: [Int32]

    /// Groups for the keys that occur, ascending, but for tokens whose key is `ignored`.
    package init(occurring keys: [Int32], besides ignored: Int32? = nil) {
        var order: [Int32] = []
        order.reserveCapacity(keys.count)
        for (token, key) in keys.enumerated() where key != ignored { order.append(Int32(token)) }
        order.sort { (keys[Int($0)], $0) < (keys[Int($1)], $1) }
        var distinct: [Int32] = []
        var starts: [Int32] = []
        distinct.reserveCapacity(order.count)
        starts.reserveCapacity(order.count + 1)
        for (place, token) in order.enumerated() where distinct.last != keys[Int(token)] {
            distinct.append(keys[Int(token)])
            starts.append(Int32(place))
        }
        starts.append(Int32(order.count))
        self.keys = distinct
        self.starts = starts
        self.order = order
    }

    /// A group, perhaps empty, for each key from 0 to `limit - 1`.
    package init(all keys: [Int32], limit: Int) {
        var starts = [Int32](repeating: 0, count: limit + 1)
        for key in keys { starts[Int(key) + 1] += 1 }
        for key in 0..<limit { starts[key + 1] += starts[key] }
        var next = starts
        var order = [Int32](repeating: 0, count: keys.count)
        for (token, key) in keys.enumerated() {
            order[Int(next[Int(key)])] = Int32(token)
            next[Int(key)] += 1
        }
        self.keys = (0..<Int32(limit)).map { $0 }
        self.starts = starts
        self.order = order
    }
}

/// Adds the rows of each group in token order; an empty group gives zeros.
///
/// Shapes: `x` (T, D); `y` (groups, D).
package func sumRows(_ x: Matrix, by groups: TokenGroups, into y: Matrix) {
    precondition(x.isContiguous && y.isContiguous && x.columns == y.columns && y.rows == groups.keys.count)
    precondition(x.rows >= groups.order.count)
    unsafe apus_sum_rows_by_group(groups.keys.count, x.columns, groups.starts, groups.order, x.elements.base, y.elements.base)
}
