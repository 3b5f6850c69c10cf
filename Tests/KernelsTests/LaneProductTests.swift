import Kernels
import Tensors
import Testing

/// Weight gradients over the rows of several lanes: a chain of fused multiply-adds for each lane, and the lanes added
/// in the order of their tree.
@Suite struct LaneProductTests {
    private func expected(
        _ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ lanes: LaneRows, onto before: [Float]?
    ) -> [UInt32] {
        let sum = lanes.sum { lane in
            var product = [Float](repeating: 0, count: m * n)
            for row in lanes.rows(of: lane) {
                for i in 0..<m {
                    for j in 0..<n {
                        product[i * n + j] = product[i * n + j].addingProduct(a[row * m + i], b[row * n + j])
                    }
                }
            }
            return product
        } _: {
            zip($0, $1).map { $0 + $1 }
        }
        return bits(before.map { zip($0, sum).map { $0 + $1 } } ?? sum)
    }

    private func check(_ rows: [Int], _ m: Int, _ n: Int) {
        let lanes = lanes(rows)
        var random = FixedSequence(UInt64(lanes.rows * 1_000_003 + m * 1_009 + n))
        let (a, b, before) = (random.floats(lanes.rows * m), random.floats(lanes.rows * n), random.floats(m * n))
        for adds in [false, true] {
            let wanted = expected(a, b, m, n, lanes, onto: adds ? before : nil)
            let found = onEachInstructionSet {
                let c = matrix(before, rows: m, columns: n)
                multiplyLanes(
                    matrix(a, rows: lanes.rows, columns: m), matrix(b, rows: lanes.rows, columns: n), lanes, into: c,
                    add: adds)
                return bits(c.elements.array)
            }
            #expect(found.allSatisfy { $0 == wanted }, "\(rows), (\(m), \(n)), added \(adds)")
        }
    }

    @Test(arguments: [[7], [3, 4], [1, 0, 5], [2, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8], [0, 0], [11, 1, 1, 1, 1]])
    func `a gradient is the tree over the lanes of each lane's chain`(rows: [Int]) {
        for (m, n) in [(1, 1), (2, 40), (15, 17), (43, 33), (3, 97), (50, 5)] { check(rows, m, n) }
    }

    @Test(arguments: [[513], [600, 20], [20, 600], [512, 513, 1, 2], [300, 200, 700]])
    func `lanes longer than a block are one chain each`(rows: [Int]) { check(rows, 15, 37) }

    @Test func `a result larger than the part that is computed at a time`() {
        check([5, 9, 2], 250, 400)
        check([260, 3], 230, 200)
    }

    @Test(arguments: 2...9)
    func `teams of any size give the same bits`(threads: Int) {
        Team.divideEverything()
        Team.with(threads: threads) {
            for (m, n) in [(90, 70), (1, 300), (300, 1), (47, 5)] { check([4, 0, 7, 2, 1], m, n) }
        }
    }
}
