import Kernels
import Tensors
import Testing

/// bf16 as docs/arithmetic.md describes it, one number at a time.
private struct PlainPairs {
    let order: Precision

    /// The nearest number in bf16, ties to even; subnormal numbers are zero.
    static func rounded(_ x: Float) -> Float {
        if x.isNaN { return x }
        let flushed = normal(x)
        let low = flushed.bitPattern & 0xffff
        let down = Float(bitPattern: flushed.bitPattern & 0xffff_0000)
        let up = Float(bitPattern: (flushed.bitPattern & 0xffff_0000) &+ 0x1_0000)
        if low == 0x8000 { return (flushed.bitPattern >> 16) & 1 == 0 ? down : up }
        return low < 0x8000 ? down : up
    }

    static func normal(_ x: Float) -> Float {
        x.isSubnormal ? Float(sign: x.sign, exponent: 0, significand: 0) : x
    }

    /// One fused multiply-add; what is tiny after rounding with unlimited exponents is zero. The same sum, scaled by
    /// 2^64, shows that.
    private func chain(_ a: Float, _ b: Float, _ c: Float) -> Float {
        let result = c.addingProduct(a, b)
        if abs(result) == Float.leastNormalMagnitude {
            let scaled = (c * 0x1p64).addingProduct(a * 0x1p64, b)
            if abs(scaled) < 0x1p-62 { return Float(sign: result.sign, exponent: 0, significand: 0) }
        }
        return Self.normal(result)
    }

    /// The sum of the products of two columns of numbers.
    func sum(_ a: [Float], _ b: [Float], from start: Float = 0) -> Float {
        let (x, y) = (a.map(Self.rounded), b.map(Self.rounded))
        func pair(_ values: [Float], _ place: Int) -> Float { place < values.count ? values[place] : 0 }
        if order == .bf16 {
            return stride(from: 0, to: x.count, by: 2).reduce(start) { sum, place in
                let odd = chain(pair(x, place + 1), pair(y, place + 1), sum)
                return chain(x[place], y[place], odd)
            }
        }
        return stride(from: 0, to: x.count, by: 32).reduce(start) { sum, first in
            func half(_ offset: Int) -> Float {
                stride(from: first + offset, to: first + 32, by: 2).reduce(0) { chain(pair(x, $1), pair(y, $1), $0) }
            }
            return Self.normal(sum + Self.normal(half(0) + half(1)))
        }
    }
}

@Suite(.serialized) struct PairProductTests {
    private static let orders = [Precision.bf16, .bf16AMX]

    /// What `body` gives with the processor's unit, if it has one, and with what replaces it at each instruction set.
    private func everywhere<Result: Sendable>(_ body: () -> Result) -> [Result] {
        defer { Precision.use(.fastest) }
        let own = [Precision.Unit.fastest, .any].map {
            Precision.use($0)
            return body()
        }
        Precision.use(.none)
        return own + onEachInstructionSet(body)
    }

    private func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
        (0..<(rows * columns)).map { x[$0 % rows * columns + $0 / rows] }
    }

    private func product(
        _ precision: Precision, _ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int, turned: Bool = false,
        from start: [Float]? = nil, threads: Int = 1
    ) -> [Float] {
        guard let order = precision.order else { return [] }
        let c = matrix(start ?? [Float](repeating: .nan, count: m * n), rows: m, columns: n)
        Team.with(threads: threads) {
            let arena = Arena()
            let left =
                turned
                ? LeftFactor(turning: matrix(transposed(a, m, k), rows: k, columns: m), LaneRows(one: k), arena: arena)
                : LeftFactor(matrix(a, rows: m, columns: k), arena: arena)
            let right = RightFactor(
                columns: n, inner: k, memory: FloatBuffer(count: RightFactor.size(columns: n, inner: k)).view)
            for panel in 0..<right.panels {
                if turned {
                    right.fill(panel..<(panel + 1), turning: matrix(transposed(b, k, n), rows: n, columns: k))
                } else {
                    right.fill(panel..<(panel + 1), from: matrix(b, rows: k, columns: n))
                }
            }
            multiply(left, right, order, into: c, accumulate: start != nil)
        }
        return c.elements.array
    }

    @Test(arguments: [
        (1, 1, 1), (1, 16, 2), (3, 5, 7), (16, 32, 32), (17, 33, 31), (40, 50, 33), (33, 70, 64), (7, 65, 430),
        (50, 31, 389),
    ])
    func `every product is the chain that the page describes`(m: Int, n: Int, k: Int) {
        var random = FixedSequence(UInt64(m * 1_009 + n * 31 + k))
        let (a, b, start) = (random.floats(m * k), random.floats(k * n), random.floats(m * n))
        for precision in Self.orders {
            let plain = PlainPairs(order: precision)
            for before in [nil, start] {
                let expected = (0..<(m * n)).map { place in
                    let (i, j) = (place / n, place % n)
                    return plain.sum(
                        Array(a[(i * k)..<(i * k + k)]), (0..<k).map { b[$0 * n + j] }, from: before?[place] ?? 0)
                }
                for turned in [false, true] {
                    for found in everywhere({ product(precision, a, b, m, n, k, turned: turned, from: before) }) {
                        #expect(bits(found) == bits(expected), "\(precision), turned \(turned)")
                    }
                }
            }
        }
    }

    @Test func `numbers at the edge of the normal ones are rounded as the processors' units round them`() {
        let least = Float.leastNormalMagnitude
        // A unit and a half, and a unit, below the smallest normal number; as products of two factors.
        let cases: [(a: [Float], b: [Float], start: Float)] = [
            ([-0x1.8p-75, 0], [0x1p-76, 0], least), ([0, -0x1.8p-75], [0, 0x1p-76], least),
            ([-0x1p-75, 0], [0x1p-76, 0], least), ([0, -0x1p-75], [0, 0x1p-76], least),
            ([Float(bitPattern: 0x007f_ffff), 1], [0x1p100, 1], 0), ([0x1p-70, 0], [-0x1p-70, 0], 0),
            ([.infinity, 0], [1, 0], 0), ([-.infinity, 1], [1, 1], .infinity),
            ([0x1p-63, 0x1p-63], [0x1p-63, 0x1p-63], 0),
            ([-0.0], [1], -0.0), ([0x1p-126], [-1], 0x1.8p-126), ([3.4e38, 3.4e38], [3.4e38, 3.4e38], 0),
        ]
        for precision in Self.orders {
            for (a, b, start) in cases {
                let expected = PlainPairs(order: precision).sum(a, b, from: start)
                for found in everywhere({ product(precision, a, b, 1, 1, a.count, from: [start])[0] }) {
                    #expect(
                        found.bitPattern == expected.bitPattern || (found.isNaN && expected.isNaN),
                        "\(precision): \(a) times \(b) from \(start) is \(found), not \(expected)")
                }
            }
        }
    }

    @Test func `rounding takes ties to even, subnormal numbers to zero and keeps NaN`() {
        let values: [(UInt32, UInt32)] = [
            (0x3f80_8000, 0x3f80_0000), (0x3f81_8000, 0x3f82_0000), (0x3f80_8001, 0x3f81_0000), (0x007f_ffff, 0),
            (0x8000_0001, 0x8000_0000), (0x7f7f_ffff, 0x7f80_0000), (0x7f80_0000, 0x7f80_0000),
        ]
        for precision in Self.orders {
            for (from, to) in values {
                let found = everywhere { product(precision, [Float(bitPattern: from)], [1], 1, 1, 1)[0] }
                for value in found {
                    // A chain turns -0 into +0.
                    #expect(value == Float(bitPattern: to), "\(String(from, radix: 16)) in \(precision)")
                }
            }
            for nan in [0x7fff_ffff, 0x7f80_0001, 0xffff_ffff] as [UInt32] {
                for value in everywhere({ product(precision, [Float(bitPattern: nan)], [1], 1, 1, 1)[0] }) {
                    #expect(value.isNaN)
                }
            }
        }
    }

    @Test(arguments: [[1], [5, 0, 32, 3], [33, 64, 1], [31, 17, 2, 90, 3, 3, 8, 40]])
    func `lanes have chains of their own and are added in the order of their tree`(rows: [Int]) {
        let (lanes, all) = (lanes(rows), rows.reduce(0, +))
        let (m, n) = (37, 70)
        var random = FixedSequence(UInt64(all))
        let (a, b, start) = (random.floats(all * m), random.floats(all * n), random.floats(m * n))
        for precision in Self.orders {
            guard let order = precision.order else { continue }
            let plain = PlainPairs(order: precision)
            let expected = (0..<(m * n)).map { place in
                let (i, j) = (place / n, place % n)
                return lanes.sum { lane in
                    plain.sum(lanes.rows(of: lane).map { a[$0 * m + i] }, lanes.rows(of: lane).map { b[$0 * n + j] })
                } _: {
                    $0 + $1
                }
            }
            for adds in [false, true] {
                for threads in [1, 3] {
                    let found = everywhere {
                        let c = matrix(adds ? start : [Float](repeating: .nan, count: m * n), rows: m, columns: n)
                        Team.with(threads: threads) {
                            let arena = Arena()
                            multiplyLanes(
                                LeftFactor(turning: matrix(a, rows: all, columns: m), lanes, arena: arena),
                                RightFactor(
                                    LeftFactor(matrix(b, rows: all, columns: n), arena: arena), lanes, arena: arena),
                                order, lanes, into: c, add: adds)
                        }
                        return bits(c.elements.array)
                    }
                    let sum = adds ? zip(start, expected).map { $0 + $1 } : expected
                    for values in found { #expect(values == bits(sum), "\(precision), adds \(adds)") }
                }
            }
        }
    }

    @Test func `a team gives the bits of one thread`() {
        Team.divideEverything()
        var random = FixedSequence(8)
        let (m, n, k) = (150, 200, 70)
        let (a, b) = (random.floats(m * k), random.floats(k * n))
        for precision in Self.orders {
            let expected = bits(product(precision, a, b, m, n, k))
            for threads in 2...5 { #expect(bits(product(precision, a, b, m, n, k, threads: threads)) == expected) }
        }
    }

    /// Attention's products are kernels of their own: they give the bits of the large products.
    @Test(arguments: [1, 5, 32, 33, 70])
    func `attention multiplies in the same orders`(length: Int) {
        let width = 24
        var random = FixedSequence(UInt64(length))
        let (q, k, v) = (
            random.floats(length * width), random.floats(length * width), random.floats(length * width)
        )
        for precision in Self.orders {
            let scores = matrix(
                product(precision, q, transposed(k, length, width), length, length, width), rows: length,
                columns: length)
            let padded = (length + 15) / 16 * 16
            let probabilities = zeros(length, padded)
            for row in 0..<length {
                probabilities.rows(row..<(row + 1)).elements[0..<length].copy(
                    from: scores.rows(row..<(row + 1)).elements)
            }
            softmaxRows(probabilities.columns(0..<length), scale: 1 / Float(width).squareRoot())
            let p = (0..<length).flatMap { probabilities.rows($0..<($0 + 1)).elements[0..<length].array }
            let expected = bits(product(precision, p, v, length, width, length))
            let attention = Attention(
                rows: AttentionRows(keys: [0, Int32(length)], queries: [0, Int32(length)]), heads: 1, dropout: nil,
                precision: precision)
            let found = everywhere {
                let (context, keyValues) = (zeros(length, width), zeros(length, 2 * width))
                for row in 0..<length {
                    let own = keyValues.rows(row..<(row + 1)).elements
                    own[0..<width].copy(from: Array(k[(row * width)..<(row * width + width)]))
                    own[width..<(2 * width)].copy(from: Array(v[(row * width)..<(row * width + width)]))
                }
                let arena = Arena()
                func factor(_ x: Matrix) -> Factor { Factor(x, precision.order, arena: arena) }
                attention.forward(
                    queries: factor(matrix(q, rows: length, columns: width)),
                    keys: factor(keyValues.columns(0..<width)),
                    values: factor(keyValues.columns(width..<(2 * width))), bits: nil, into: context, arena: arena)
                return bits(context.elements.array)
            }
            for values in found { #expect(values == expected, "\(precision)") }
        }
    }
}
