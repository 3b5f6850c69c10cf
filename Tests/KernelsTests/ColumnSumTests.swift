import Kernels
import Tensors
import Testing

/// Kernels that sum columns: blocks of 32 rows from the first row on, each from +0 in row order, then the blocks in
/// order.
@Suite struct ColumnSumTests {
    private func sums(_ rows: Int, _ n: Int, _ summand: (_ row: Int, _ column: Int, _ before: Float) -> Float)
        -> [UInt32]
    {
        bits(
            (0..<n).map { column in
                stride(from: 0, to: rows, by: 32).reduce(into: Float(0)) { total, first in
                    let block = (first..<min(first + 32, rows)).reduce(Float(0)) { summand($1, column, $0) }
                    total = first == 0 ? block : total + block
                }
            })
    }

    private static let shapes =
        (0...70).map { ($0, 37) } + [(100, 16), (129, 530), (200, 1_040), (33, 1), (64, 512), (97, 48)]

    @Test(arguments: shapes)
    func everyKernelSumsInTheSameBlocks(rows: Int, n: Int) {
        var random = FixedSequence(UInt64(rows * 1_009 + n))
        let (x, slope, gain) = (random.floats(rows * n), random.floats(rows * n), random.floats(n))
        let rate = DropoutRate(0.25)
        let kept = Arena().takeBits(max(1, rows * BitView.words(columns: n)))
        dropoutBits(kept, key: DropoutKey(seed: 1, step: 1), rate: rate, position: 0, layer: 0, site: .head)
        let plain = sums(rows, n) { $2 + x[$0 * n + $1] }
        let activated = sums(rows, n) { $2 + x[$0 * n + $1] * slope[$0 * n + $1] }
        func isKept(_ row: Int, _ column: Int) -> Bool {
            kept[row * BitView.words(columns: n) + column / 16] >> (column % 16) & 1 == 1
        }
        let dropped = sums(rows, n) { $2 + (isKept($0, $1) ? x[$0 * n + $1] * rate.scale : 0) }
        let gains = sums(rows, n) { $2.addingProduct(x[$0 * n + $1], slope[$0 * n + $1]) }
        for found in onEachInstructionSet({ self.found(rows, n, x, slope, gain, kept, rate) }) {
            #expect(found.columns == plain && found.shift == plain)
            #expect(found.activation == activated)
            #expect(found.dropout == dropped)
            #expect(found.gain == gains)
        }
    }

    private struct Found: Sendable {
        var columns, activation, dropout, gain, shift: [UInt32]
    }

    private func found(
        _ rows: Int, _ n: Int, _ x: [Float], _ slope: [Float], _ gain: [Float], _ kept: BitView, _ rate: DropoutRate
    ) -> Found {
        func summed(_ body: (FloatView) -> Void) -> [UInt32] {
            let sums = view([Float](repeating: .nan, count: n))
            body(sums)
            return bits(sums.array)
        }
        let shift = view([Float](repeating: .nan, count: n))
        return Found(
            columns: summed { sumColumns(matrix(x, rows: rows, columns: n), into: $0) },
            activation: summed {
                activateBackward(
                    derivative: matrix(slope, rows: rows, columns: n), matrix(x, rows: rows, columns: n),
                    biasGradient: $0)
            },
            dropout: summed {
                _ = dropoutBackward(
                    matrix(x, rows: rows, columns: n), bits: kept, rate: rate, scratch: zeros(rows, n), biasGradient: $0
                )
            },
            gain: summed {
                layerNormBackward(
                    normalized: matrix(slope, rows: rows, columns: n),
                    inverseDeviation: view([Float](repeating: 1, count: rows)), gain: view(gain),
                    matrix(x, rows: rows, columns: n), gainGradient: $0, shiftGradient: shift)
            }, shift: bits(shift.array))
    }
}
