internal import CVectorMath
package import Tensors

/// Sums the word, type and position rows of each token.
///
/// Shapes: `ids`, `positions`, `types` (T); `words` (V, D), `positionTable` (P, D), `typeTable` (2, D); `y` (T, D).
package func embed(
    ids: [Int32], positions: [Int32], types: [UInt8], words: Matrix, positionTable: Matrix, typeTable: Matrix,
    into y: Matrix
) {
    precondition(ids.count == y.rows && positions.count == y.rows && types.count == y.rows)
    precondition(words.columns == y.columns && positionTable.columns == y.columns && typeTable.columns == y.columns)
    for token in 0..<ids.count {
        precondition(ids[token] >= 0 && ids[token] < words.rows, "token id \(ids[token]) of \(words.rows)")
        precondition(
            positions[token] >= 0 && positions[token] < positionTable.rows,
            "position \(positions[token]) of \(positionTable.rows)")
        precondition(types[token] < typeTable.rows, "token type \(types[token]) of \(typeTable.rows)")
    }
    unsafe apus_embed(
        y.rows, y.columns, ids, positions, types, words.elements.base, positionTable.elements.base,
        typeTable.elements.base,
        y.elements.base)
}

/// Tokens gathered by a key, each group in token order.
package struct TokenGroups: Sendable {
    /// The distinct keys, ascending; or all keys below a limit.
    package private(set) var keys: [Int32] = []
    /// The start of each group in `order`, then the end.
    package private(set) var starts: [Int32] = []
    /// Token numbers, group after group; a token may be in none.
    package private(set) var order: [Int32] = []
    /// The index of each group's next token; or the tokens in their previous order.
    private var next: [Int32] = []

    package init() {}

    /// Groups for the keys that occur, ascending, except for tokens whose key is `ignored`. Keys are not negative.
    package mutating func set(occurring keys: [Int32], besides ignored: Int32? = nil) {
        clear()
        for (token, key) in keys.enumerated() where key != ignored { order.append(Int32(token)) }
        sort(by: keys)
        for (place, token) in order.enumerated() where self.keys.last != keys[Int(token)] {
            self.keys.append(keys[Int(token)])
            starts.append(Int32(place))
        }
        starts.append(Int32(order.count))
    }

    /// A group, perhaps empty, for each key from 0 to `limit - 1`.
    package mutating func set(all keys: [Int32], limit: Int) { group(keys, limit) }

    /// A group, perhaps empty, for each key from 0 to `limit - 1`.
    package mutating func set(all keys: [UInt8], limit: Int) { group(keys, limit) }

    private mutating func group(_ keys: [some FixedWidthInteger], _ limit: Int) {
        clear()
        self.keys.append(contentsOf: 0..<Int32(limit))
        starts.append(contentsOf: repeatElement(0, count: limit + 1))
        for key in keys { starts[Int(key) + 1] += 1 }
        for key in 0..<limit { starts[key + 1] += starts[key] }
        next.append(contentsOf: starts)
        order.append(contentsOf: repeatElement(0, count: keys.count))
        for (token, key) in keys.enumerated() {
            order[Int(next[Int(key)])] = Int32(token)
            next[Int(key)] += 1
        }
    }

    private mutating func clear() {
        keys.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
    }

    /// Sorts the tokens by key, one byte at a time from the lowest (radix sort); tokens of one key keep their order.
    private mutating func sort(by keys: [Int32]) {
        let largest = order.reduce(0) { max($0, keys[Int($1)]) }
        next.append(contentsOf: order)
        var shift = 0
        while largest >> shift > 0 {
            var place = InlineArray<257, Int>(repeating: 0)
            for token in order { place[Int(keys[Int(token)] >> shift & 255) + 1] += 1 }
            for byte in 0..<256 { place[byte + 1] += place[byte] }
            for token in order {
                let byte = Int(keys[Int(token)] >> shift & 255)
                next[place[byte]] = token
                place[byte] += 1
            }
            swap(&order, &next)
            shift += 8
        }
    }
}

/// Adds the rows of each group in token order; an empty group gives zeros.
///
/// Shapes: `x` (T, D); `y` (groups, D).
package func sumRows(_ x: Matrix, by groups: TokenGroups, into y: Matrix) {
    precondition(x.isContiguous && y.isContiguous && x.columns == y.columns && y.rows == groups.keys.count)
    precondition(x.rows >= groups.order.count)
    unsafe apus_sum_rows_by_group(
        groups.keys.count, x.columns, groups.starts, groups.order, x.elements.base, y.elements.base)
}
