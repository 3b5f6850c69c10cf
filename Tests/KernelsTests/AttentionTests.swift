import Foundation
import Kernels
import Tensors
import Testing

@Suite struct AttentionTests {
    /// A packed batch of queries, keys and values, its gradient, and the results of both passes.
    private struct Case {
        let lengths: [Int]
        let heads: Int
        let width: Int
        /// Whether the first token of each sentence alone asks.
        var firstOnly = false
        var rate = 0.0

        var tokens: Int { lengths.reduce(0, +) }
        var asking: [Int] { firstOnly ? lengths.map { min($0, 1) } : lengths }

        private func offsets(_ counts: [Int]) -> [Int32] {
            counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) }
        }

        var attention: Attention {
            let tokens =
                firstOnly
                ? lengths.filter { $0 > 0 }.map { _ in Int32(0) } : lengths.flatMap { (0..<Int32($0)).map { $0 } }
            let dropout = AttentionDropout(
                rate: DropoutRate(rate), key: DropoutKey(seed: 3, step: 5), layer: 1,
                positions: lengths.indices.map { UInt32($0 + 7) },
                queryTokens: tokens)
            return Attention(
                rows: AttentionRows(keys: offsets(lengths), queries: offsets(asking)), heads: heads,
                dropout: rate > 0 ? dropout : nil)
        }

        func inputs() -> (queries: Matrix, projections: Matrix, gradient: Matrix) {
            var random = FixedSequence(9)
            let (d, rows) = (heads * width, asking.reduce(0, +))
            return (
                matrix(random.floats(rows * d), rows: rows, columns: d),
                matrix(random.floats(tokens * 2 * d), rows: tokens, columns: 2 * d),
                matrix(random.floats(rows * d), rows: rows, columns: d)
            )
        }

        /// Context, then the gradients of queries, keys and values.
        func run() -> [[Float]] {
            let (queries, projections, gradient) = inputs()
            let d = heads * width
            let (keys, values) = (projections.columns(0..<d), projections.columns(d..<(2 * d)))
            let context = zeros(queries.rows, d)
            let (dq, dkv) = (zeros(queries.rows, d), zeros(tokens, 2 * d))
            dkv.elements.fill(.nan)
            let arena = Arena()
            let bits = attention.bits(arena: arena)
            let (q, k, v) = (Factor.single(queries), Factor.single(keys), Factor.single(values))
            attention.forward(queries: q, keys: k, values: v, bits: bits, into: context, arena: arena)
            attention.backward(
                queries: q, keys: k, values: v, bits: bits, contextGradient: gradient, queryGradient: dq,
                keyGradient: dkv.columns(0..<d), valueGradient: dkv.columns(d..<(2 * d)), arena: arena)
            return [context, dq, dkv].map(\.elements.array)
        }

        /// The same in double precision, one number after another.
        func reference() -> [[Double]] {
            let (queries, projections, gradient) = inputs()
            let d = heads * width
            var context = [Double](repeating: 0, count: queries.rows * d)
            var dq = context
            var dkv = [Double](repeating: 0, count: tokens * 2 * d)
            let bits = attention.bits(arena: Arena())
            let (rows, scale) = (attention.rows, 1 / Double(width).squareRoot())
            var bitRow = 0
            for sentence in lengths.indices {
                let (keyRows, words) = (rows.keyRange(sentence), BitView.words(columns: lengths[sentence]))
                for head in 0..<heads {
                    for q in rows.queryRange(sentence) {
                        let columns = (head * width)..<((head + 1) * width)
                        func sum(_ term: (Int) -> Double) -> Double { columns.reduce(0) { $0 + term($1) } }
                        func key(_ k: Int, _ c: Int) -> Double { Double(projections[k, c]) }
                        func value(_ k: Int, _ c: Int) -> Double { Double(projections[k, d + c]) }
                        let e = keyRows.map { k in exp(scale * sum { Double(queries[q, $0]) * key(k, $0) }) }
                        let p = e.map { $0 / e.reduce(0, +) }
                        let kept = p.indices.map { k -> Double in
                            guard let bits else { return 1 }
                            return bits[bitRow + k / 16] >> UInt16(k % 16) & 1 == 1
                                ? Double(DropoutRate(rate).scale) : 0
                        }
                        bitRow += bits == nil ? 0 : words
                        let dp = p.indices.map { k in
                            kept[k] * sum { Double(gradient[q, $0]) * value(keyRows.lowerBound + k, $0) }
                        }
                        let dot = zip(p, dp).reduce(0) { $0 + $1.0 * $1.1 }
                        for (place, k) in keyRows.enumerated() {
                            let ds = scale * p[place] * (dp[place] - dot)
                            for c in columns {
                                context[q * d + c] += p[place] * kept[place] * value(k, c)
                                dq[q * d + c] += ds * key(k, c)
                                dkv[k * 2 * d + c] += ds * Double(queries[q, c])
                                dkv[k * 2 * d + d + c] += p[place] * kept[place] * Double(gradient[q, c])
                            }
                        }
                    }
                }
            }
            return [context, dq, dkv]
        }
    }

    private static let cases = [
        Case(lengths: [1, 2, 15, 16, 17], heads: 3, width: 8), Case(lengths: [33, 5], heads: 2, width: 32, rate: 0.2),
        Case(lengths: [70], heads: 1, width: 12, rate: 0.3),
        Case(lengths: [40, 9, 31], heads: 2, width: 17, firstOnly: true, rate: 0.1),
        Case(lengths: [3, 65], heads: 1, width: 64, firstOnly: true),
    ]

    @Test(arguments: cases.indices)
    func bothPassesMatchDoublePrecision(place: Int) {
        let this = Self.cases[place]
        for (actual, expected) in zip(this.run(), this.reference()) {
            #expect(actual.count == expected.count && largestDifference(actual, expected) < 3e-6)
        }
    }

    @Test(arguments: cases.indices)
    func everyInstructionSetGivesTheSameBits(place: Int) {
        let results = onEachInstructionSet { Self.cases[place].run().map(bits) }
        for other in results.dropFirst() { #expect(other == results[0]) }
    }

    /// A row that asks alone gets the bits that it gets among the others.
    @Test func whoElseAsksDoesNotChangeARow() {
        let lengths = [40, 9]
        let all = Case(lengths: lengths, heads: 2, width: 16)
        let (queries, projections, _) = all.inputs()
        let (keys, values) = (projections.columns(0..<32), projections.columns(32..<64))
        let (context, alone) = (zeros(49, 32), zeros(2, 32))
        let (k, v) = (Factor.single(keys), Factor.single(values))
        all.attention.forward(queries: .single(queries), keys: k, values: v, bits: nil, into: context, arena: Arena())
        let first = zeros(2, 32)
        for (place, row) in [0, 40].enumerated() {
            first.rows(place..<(place + 1)).elements.copy(from: queries.rows(row..<(row + 1)).elements)
        }
        let some = Case(lengths: lengths, heads: 2, width: 16, firstOnly: true)
        some.attention.forward(queries: .single(first), keys: k, values: v, bits: nil, into: alone, arena: Arena())
        for (place, row) in [0, 40].enumerated() {
            #expect(
                bits(alone.rows(place..<(place + 1)).elements.array)
                    == bits(context.rows(row..<(row + 1)).elements.array))
        }
    }
}
