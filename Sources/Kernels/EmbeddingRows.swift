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
    unsafe ids.withUnsafeBufferPointer { ids in
        unsafe positions.withUnsafeBufferPointer { positions in
            unsafe types.withUnsafeBufferPointer { types in
                Team.divide(y.rows, unit: 1, cost: 16 * y.columns) { rows in
                    guard let id = ids.baseAddress, let position = positions.baseAddress, let type = types.baseAddress
                    else { return }
                    let first = rows.lowerBound
                    unsafe apus_embed(
                        rows.count, y.columns, id + first, position + first, type + first, words.elements.base,
                        positionTable.elements.base, typeTable.elements.base, y.elements.base + first * y.columns)
                }
            }
        }
    }
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
    package mutating func set(occurring keys: ArraySlice<Int32>, except ignored: Int32? = nil) {
        clear()
        for (token, key) in keys.enumerated() where key != ignored { order.append(Int32(token)) }
        sort(by: keys)
        for (place, token) in order.enumerated() where self.keys.last != keys[keys.startIndex + Int(token)] {
            self.keys.append(keys[keys.startIndex + Int(token)])
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
    private mutating func sort(by keys: ArraySlice<Int32>) {
        let start = keys.startIndex
        let largest = order.reduce(0) { max($0, keys[start + Int($1)]) }
        next.append(contentsOf: order)
        var shift = 0
        while largest >> shift > 0 {
            var place = InlineArray<257, Int>(repeating: 0)
            for token in order { place[Int(keys[start + Int(token)] >> shift & 255) + 1] += 1 }
            for byte in 0..<256 { place[byte + 1] += place[byte] }
            for token in order {
                let byte = Int(keys[start + Int(token)] >> shift & 255)
                next[place[byte]] = token
                place[byte] += 1
            }
            swap(&order, &next)
            shift += 8
        }
    }
}

/// Adds the rows of each group: in each lane in token order, see ``LaneRows``; an empty group gives zeros.
///
/// Shapes: `x` (T, D); `y` (groups, D).
package func sumRows(_ x: Matrix, by groups: TokenGroups, lanes: LaneRows, into y: Matrix) {
    precondition(x.isContiguous && y.isContiguous && x.columns == y.columns && y.rows == groups.keys.count)
    precondition(x.rows >= groups.order.count && lanes.rows == x.rows)
    unsafe groups.starts.withUnsafeBufferPointer { starts in
        unsafe groups.order.withUnsafeBufferPointer { order in
            unsafe lanes.withLanes { lanes in
                let cost = 16 * x.columns * max(1, x.rows / max(1, y.rows))
                Team.divide(y.rows, unit: 1, cost: cost) { part in
                    guard let start = starts.baseAddress else { return }
                    unsafe apus_sum_rows_by_group(
                        lanes, part.count, x.columns, start + part.lowerBound, order.baseAddress, x.elements.base,
                        y.elements.base + part.lowerBound * x.columns)
                }
            }
        }
    }
}
