import Kernels
import Tensors
import Testing

/// Kernels that sum columns: in each lane blocks of 32 rows from its first row on, each from +0 in row order, then the
/// blocks in order, then the lanes in the order of their tree.
@Suite struct ColumnSumTests {
    private func sums(
        _ lanes: LaneRows, _ n: Int, _ summand: (_ row: Int, _ column: Int, _ before: Float) -> Float
    ) -> [UInt32] {
        bits(
            (0..<n).map { column in
                lanes.sum {
                    let rows = lanes.rows(of: $0)
                    return stride(from: rows.lowerBound, to: rows.upperBound, by: 32).reduce(Float(0)) { total, first in
                        let block = (first..<min(first + 32, rows.upperBound)).reduce(Float(0)) {
                            summand($1, column, $0)
                        }
                        return first == rows.lowerBound ? block : total + block
                    }
                } _: {
                    $0 + $1
                }
            })
    }

    private static let shapes =
        (0...70).map { ($0, 37) } + [(100, 16), (129, 530), (200, 1_040), (33, 1), (64, 512), (97, 48)]

    @Test(arguments: shapes)
    func everyKernelSumsInTheSameBlocks(rows: Int, n: Int) { check(LaneRows(one: rows), n) }

    @Test(arguments: [
        [40, 0, 65, 33], [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0], [70, 31, 32], [9, 120], [5, 5, 5, 5, 5],
    ])
    func `the lanes are added in the order of their tree`(rows: [Int]) {
        for n in [1, 37, 300] { check(lanes(rows), n) }
    }

    /// The kernels divide their columns and rows among the threads; every sum is computed whole by one of them.
    @Test(arguments: 1...9)
    func `teams of any size give the same bits`(threads: Int) {
        Team.divideEverything()
        for rows in [1, 2, 31, 32, 33, 64, 100, 199, 200] {
            Team.with(threads: threads) {
                check(LaneRows(one: rows), 130)
                check(lanes([rows / 2, rows - rows / 2]), 64)
            }
        }
    }

    private func check(_ lanes: LaneRows, _ n: Int) {
        let rows = lanes.rows
        var random = FixedSequence(UInt64(rows * 1_009 + n))
        let (x, slope, gain) = (random.floats(rows * n), random.floats(rows * n), random.floats(n))
        let rate = DropoutRate(0.25)
        let kept = Arena().takeBits(max(1, rows * BitView.words(columns: n)))
        dropoutBits(kept, key: DropoutKey(seed: 1, step: 1), rate: rate, position: 0, layer: 0, site: .head)
        let plain = sums(lanes, n) { $2 + x[$0 * n + $1] }
        let activated = sums(lanes, n) { $2 + x[$0 * n + $1] * slope[$0 * n + $1] }
        func isKept(_ row: Int, _ column: Int) -> Bool {
            kept[row * BitView.words(columns: n) + column / 16] >> (column % 16) & 1 == 1
        }
        let dropped = sums(lanes, n) { $2 + (isKept($0, $1) ? x[$0 * n + $1] * rate.scale : 0) }
        let gains = sums(lanes, n) { $2.addingProduct(x[$0 * n + $1], slope[$0 * n + $1]) }
        let groups = (0..<rows).map { Int32($0 * 7 % 5) }
        let grouped = (0..<5).flatMap { key in
            sums(lanes, n, rowsOf: groups, key) { x[$0 * n + $1] }
        }
        for found in onEachInstructionSet({ self.found(lanes, n, x, slope, gain, kept, rate, groups) }) {
            #expect(found.columns == plain && found.shift == plain)
            #expect(found.activation == activated)
            #expect(found.dropout == dropped)
            #expect(found.gain == gains)
            #expect(found.groups == grouped)
        }
    }

    /// The sums of the rows with one key: of each lane in row order, then the lanes.
    private func sums(
        _ lanes: LaneRows, _ n: Int, rowsOf keys: [Int32], _ key: Int32, _ value: (_ row: Int, _ column: Int) -> Float
    ) -> [UInt32] {
        bits(
            (0..<n).map { column in
                lanes.sum {
                    lanes.rows(of: $0).filter { keys[$0] == key }.reduce(Float(0)) { $0 + value($1, column) }
                } _: {
                    $0 + $1
                }
            })
    }

    private struct Found: Sendable {
        var columns, activation, dropout, gain, shift, groups: [UInt32]
    }

    private func found(
        _ lanes: LaneRows, _ n: Int, _ x: [Float], _ slope: [Float], _ gain: [Float], _ kept: BitView,
        _ rate: DropoutRate, _ keys: [Int32]
    ) -> Found {
        let rows = lanes.rows
        func summed(_ body: (FloatView) -> Void) -> [UInt32] {
            let sums = view([Float](repeating: .nan, count: n))
            body(sums)
            return bits(sums.array)
        }
        let shift = view([Float](repeating: .nan, count: n))
        var groups = TokenGroups()
        groups.set(all: keys, limit: 5)
        let table = zeros(5, n)
        sumRows(matrix(x, rows: rows, columns: n), by: groups, lanes: lanes, into: table)
        return Found(
            columns: summed { sumColumns(matrix(x, rows: rows, columns: n), lanes: lanes, into: $0) },
            activation: summed {
                activateBackward(
                    derivative: matrix(slope, rows: rows, columns: n), matrix(x, rows: rows, columns: n),
                    lanes: lanes, biasGradient: $0)
            },
            dropout: summed {
                _ = dropoutBackward(
                    matrix(x, rows: rows, columns: n), bits: kept, rate: rate, scratch: zeros(rows, n), lanes: lanes,
                    biasGradient: $0)
            },
            gain: summed {
                layerNormBackward(
                    normalized: matrix(slope, rows: rows, columns: n),
                    inverseDeviation: view([Float](repeating: 1, count: rows)), gain: view(gain),
                    matrix(x, rows: rows, columns: n), lanes: lanes, gainGradient: $0, shiftGradient: shift)
            }, shift: bits(shift.array), groups: bits(table.elements.array))
    }
}
