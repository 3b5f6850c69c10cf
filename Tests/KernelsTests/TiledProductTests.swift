import Glibc
import Kernels
import Tensors
import Testing

/// Memory that ends where a page without access begins; it stays until the tests end.
private func guarded(_ values: [Float]) throws -> FloatView {
    let page = Int(getpagesize())
    let used = (values.count * 4 + page - 1) / page * page
    let pages = try unsafe #require(mmap(nil, used + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
    try unsafe #require(pages != MAP_FAILED && mprotect(pages + used, page, PROT_NONE) == 0)
    let base = unsafe (pages + used - values.count * 4).bindMemory(to: Float.self, capacity: values.count)
    let view = unsafe FloatView(base: base, count: values.count, owner: FloatBuffer(count: 0))
    view.copy(from: values)
    return view
}

@Suite struct TiledProductTests {
    /// Factors of a product, and the chain of fused multiply-adds that each element is to be.
    private struct Case {
        let m, n, k: Int
        let a, b, before: [Float]

        init(_ m: Int, _ n: Int, _ k: Int) {
            (self.m, self.n, self.k) = (m, n, k)
            var random = FixedSequence(UInt64(m * 1_000_003 + n * 1_009 + k))
            (a, b, before) = (random.floats(m * k), random.floats(k * n), random.floats(m * n))
        }

        func expected(accumulate: Bool) -> [UInt32] {
            var result = accumulate ? before : [Float](repeating: 0, count: m * n)
            for i in 0..<m {
                for p in 0..<k {
                    let factor = a[i * k + p]
                    for j in 0..<n { result[i * n + j] = result[i * n + j].addingProduct(factor, b[p * n + j]) }
                }
            }
            return bits(result)
        }

        /// The product by the kernel, rows of factors and result `gap` elements further apart than they need; nil where
        /// what lies between and behind the rows of the result changed.
        func product(_ left: Orientation, _ right: Orientation, accumulate: Bool, gap: Int = 0) -> [UInt32]? {
            let (x, _) = laid(a, m, k, left, gap)
            let (y, _) = laid(b, k, n, right, gap)
            let (z, memory) = laid(before, m, n, .plain, gap)
            multiplyInTiles(x, left, y, right, into: z, accumulate: accumulate)
            let all = memory.array
            let inside = (0..<m).flatMap { all[($0 * z.stride)..<($0 * z.stride + n)] }
            let outside = all.indices.filter { $0 % z.stride >= n || $0 >= m * z.stride }
            return outside.allSatisfy { all[$0].isNaN } ? bits(inside) : nil
        }

        private func laid(_ values: [Float], _ rows: Int, _ columns: Int, _ orientation: Orientation, _ gap: Int) -> (
            Matrix, FloatView
        ) {
            let (height, width) = orientation == .plain ? (rows, columns) : (columns, rows)
            var memory = [Float](repeating: .nan, count: height * (width + gap) + 40)
            for row in 0..<height {
                for column in 0..<width {
                    memory[row * (width + gap) + column] =
                        orientation == .plain ? values[row * columns + column] : values[column * columns + row]
                }
            }
            let all = view(memory)
            return (Matrix(all, rows: height, columns: width, stride: width + gap), all)
        }
    }

    private static let orientations: [(Orientation, Orientation)] = [
        (.plain, .plain), (.plain, .transposed), (.transposed, .plain), (.transposed, .transposed),
    ]

    private func check(_ m: Int, _ n: Int, _ k: Int) {
        let product = Case(m, n, k)
        for accumulate in [false, true] {
            let expected = product.expected(accumulate: accumulate)
            for (left, right) in Self.orientations {
                for gap in [0, 3] {
                    #expect(
                        product.product(left, right, accumulate: accumulate, gap: gap) == expected,
                        "(\(m), \(n), \(k)) \(left) \(right), accumulate \(accumulate), gap \(gap)")
                }
            }
        }
    }

    @Test func `the kernels are optimized in every build`() {
        #expect(Arithmetic.isOptimized)
    }

    @Test(arguments: 1...43)
    func smallProductsAreChainsOfFusedMultiplyAdds(m: Int) {
        for n in [1, 15, 16, 17, 31, 33, 40, 1 + m] { check(m, n, 1 + (m + n) % 19) }
    }

    @Test(arguments: [
        (1, 32, 513), (15, 255, 40), (14, 257, 17), (13, 289, 33), (3, 1, 1_025), (29, 33, 1_024), (85, 65, 511),
        (6, 513, 512),
        (16, 1_024, 9), (1_024, 17, 19),
    ])
    func blocksDoNotShowInTheBits(m: Int, n: Int, k: Int) { check(m, n, k) }

    /// Empty chains are +0, with which old values stay what they were.
    @Test func `a product without an inner dimension is zero`() {
        for (m, n) in [(1, 1), (40, 3), (5, 40)] {
            for (left, right) in Self.orientations {
                for accumulate in [false, true] {
                    let results = onEachInstructionSet {
                        Case(m, n, 0).product(left, right, accumulate: accumulate, gap: 2)
                    }
                    for result in results { #expect(result == Case(m, n, 0).expected(accumulate: accumulate)) }
                }
            }
        }
    }

    @Test(arguments: [(29, 43, 530), (86, 300, 64), (97, 130, 131)])
    func everyInstructionSetGivesTheSameBits(m: Int, n: Int, k: Int) throws {
        let product = Case(m, n, k)
        for (left, right) in Self.orientations {
            let results = onEachInstructionSet { product.product(left, right, accumulate: true) }
            let first = try #require(results.first)
            #expect(first != nil && results.allSatisfy { $0 == first })
        }
    }

    @Test(arguments: [(1, 1, 1), (14, 32, 16), (15, 33, 17), (43, 70, 31), (27, 95, 515)])
    func nothingBeyondTheEndIsRead(m: Int, n: Int, k: Int) throws {
        let product = Case(m, n, k)
        let (a, b, c) = (try guarded(product.a), try guarded(product.b), try guarded(product.before))
        for (left, right) in Self.orientations {
            let x = left == .plain ? Matrix(a, rows: m, columns: k) : Matrix(a, rows: k, columns: m)
            let y = right == .plain ? Matrix(b, rows: k, columns: n) : Matrix(b, rows: n, columns: k)
            let z = Matrix(c, rows: m, columns: n)
            multiplyInTiles(x, left, y, right, into: z, accumulate: false)
            multiplyInTiles(x, left, y, right, into: z, accumulate: true)
        }
        multiplyInTiles(
            Matrix(a, rows: m, columns: k), .plain, Matrix(b, rows: k, columns: n), .plain,
            into: Matrix(c, rows: m, columns: n), accumulate: false)
        #expect(bits(c.array) == product.expected(accumulate: false))
    }

    @Test func infinityAndNaNStayInTheirRowsAndColumns() {
        let (m, n, k) = (17, 35, 20)
        var (a, b) = ([Float](repeating: 1, count: m * k), [Float](repeating: 1, count: k * n))
        a[16 * k + 3] = .infinity
        a[2 * k + 19] = .nan
        b[5 * n + 34] = -.infinity
        let c = zeros(m, n)
        multiplyInTiles(
            matrix(a, rows: m, columns: k), .plain, matrix(b, rows: k, columns: n), .plain, into: c, accumulate: false)
        for i in 0..<m {
            for j in 0..<n {
                let found = c[i, j]
                switch (i, j) {
                case (2, _), (16, 34): #expect(found.isNaN)
                case (16, _): #expect(found == .infinity)
                case (_, 34): #expect(found == -.infinity)
                default: #expect(found == 20)
                }
            }
        }
    }
}
