import Foundation
import Kernels
import Tensors
import Testing

@Suite struct NormalizationAndLossTests {
    /// Layer norm of one row in double precision.
    private func reference(_ x: [Double], _ gain: [Float], _ shift: [Float], _ epsilon: Double) -> [Double] {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        return x.indices.map {
            (x[$0] - mean) / (variance + epsilon).squareRoot() * Double(gain[$0]) + Double(shift[$0])
        }
    }

    @Test(arguments: [5, 16, 45, 384])
    func layerNormMatchesDoublePrecisionAndItsBackwardPassFiniteDifferences(n: Int) {
        var random = FixedSequence(UInt64(n))
        let rows = 3
        let (x, bias, residual) = (random.floats(rows * n), random.floats(n), random.floats(5 * n))
        let (gain, shift, dy) = (random.floats(n), random.floats(n), random.floats(rows * n))
        let residualRows: [Int32] = [4, 0, 2]
        func outputs(_ x: [Double], _ gain: [Float], _ shift: [Float]) -> [Double] {
            (0..<rows).flatMap { row in
                reference(
                    (0..<n).map {
                        x[row * n + $0] + Double(bias[$0]) + Double(residual[Int(residualRows[row]) * n + $0])
                    }, gain, shift, 1e-5)
            }
        }
        let sum = matrix(x, rows: rows, columns: n)
        let y = zeros(rows, n)
        let inverse = view([Float](repeating: 0, count: rows))
        layerNorm(
            sum,
            NormalizationInput(
                bias: view(bias), residual: matrix(residual, rows: 5, columns: n), residualRows: residualRows),
            gain: view(gain), shift: view(shift), epsilon: 1e-5, into: y, inverseDeviation: inverse)
        let exact = x.map(Double.init)
        #expect(largestDifference(y.elements.array, outputs(exact, gain, shift)) < 5e-6)

        let gradient = matrix(dy, rows: rows, columns: n)
        let (dgain, dshift) = (view([Float](repeating: 0, count: n)), view([Float](repeating: 0, count: n)))
        layerNormBackward(
            normalized: sum, inverseDeviation: inverse, gain: view(gain), gradient,
            lanes: LaneRows(one: rows), gainGradient: dgain,
            shiftGradient: dshift)
        func objective(_ x: [Double]) -> Double {
            zip(outputs(x, gain, shift), dy).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
        for place in stride(from: 0, to: rows * n, by: max(1, n / 5)) {
            var (up, down) = (exact, exact)
            up[place] += 1e-5
            down[place] -= 1e-5
            let slope = (objective(up) - objective(down)) / 2e-5
            #expect(abs(Double(gradient.elements[place]) - slope) < 2e-5 * max(1, abs(slope)))
        }
        for column in 0..<n {
            let normalized = (0..<rows).map { Double(sum[$0, column]) }
            #expect(abs(Double(dshift[column]) - (0..<rows).reduce(0.0) { $0 + Double(dy[$1 * n + column]) }) < 1e-5)
            #expect(
                abs(
                    Double(dgain[column]) - (0..<rows).reduce(0.0) { $0 + Double(dy[$1 * n + column]) * normalized[$1] }
                ) < 1e-5)
        }
    }

    @Test(arguments: [1, 2, 15, 16, 17, 300])
    func softmaxRowsSumToOneAndLeaveTheGapZero(n: Int) {
        var random = FixedSequence(2)
        let stride = (n + 15) / 16 * 16
        let x = Matrix(view(random.floats(3 * stride, -30...30)), rows: 3, columns: n, stride: stride)
        let scores = (0..<3).map { row in (0..<n).map { Double(x[row, $0]) * 0.5 } }
        softmaxRows(x, scale: 0.5)
        for row in 0..<3 {
            let most = scores[row].max() ?? 0
            let all = scores[row].reduce(0) { $0 + exp($1 - most) }
            for column in 0..<n { #expect(abs(Double(x[row, column]) - exp(scores[row][column] - most) / all) < 1e-6) }
            for column in n..<stride { #expect(x.elements[row * stride + column] == 0) }
        }
    }

    @Test(arguments: [2, 3, 16, 37, 1_000])
    func crossEntropyMatchesDoublePrecisionWithItsGradient(n: Int) {
        var random = FixedSequence(4)
        let logits = random.floats(n, -20...20)
        let label = n / 2
        let most = logits.map(Double.init).max() ?? 0
        let all = logits.reduce(0) { $0 + exp(Double($1) - most) }
        let row = view(logits)
        #expect(
            abs(crossEntropy(view(logits), label: label, scale: nil) - (log(all) + most - Double(logits[label]))) < 1e-5
        )
        _ = crossEntropy(row, label: label, scale: 0.25)
        for place in 0..<n {
            let expected = 0.25 * (exp(Double(logits[place]) - most) / all - (place == label ? 1 : 0))
            #expect(abs(Double(row[place]) - expected) < 1e-6)
        }
    }

    @Test func adamMatchesItsFormulaInDoublePrecision() {
        var random = FixedSequence(6)
        let (g, p0) = (random.floats(50), random.floats(50))
        let (p, m, v) = (view(p0), view([Float](repeating: 0, count: 50)), view([Float](repeating: 0, count: 50)))
        var (ep, em, ev) = (p0.map(Double.init), [Double](repeating: 0, count: 50), [Double](repeating: 0, count: 50))
        for step in 1...5 {
            let (c1, c2) = (1 - pow(0.9, Double(step)), 1 - pow(0.999, Double(step)))
            let constants = AdamConstants(
                gradientScale: 1, beta1: 0.9, beta2: 0.999, oneMinusBeta1: 0.1, oneMinusBeta2: 0.001,
                stepSize: Float(0.01 / c1),
                inverseRootCorrection: Float(1 / c2.squareRoot()), epsilon: 1e-8, decayFactor: Float(1 - 0.01 * 0.1),
                l2: 0)
            adamUpdate(constants, gradient: view(g), parameters: p, first: m, second: v)
            for i in 0..<50 {
                em[i] += (Double(g[i]) - em[i]) * 0.1
                ev[i] = ev[i] * 0.999 + Double(g[i]) * Double(g[i]) * 0.001
                ep[i] = ep[i] * (1 - 0.001) - 0.01 / c1 * em[i] / (ev[i].squareRoot() / c2.squareRoot() + 1e-8)
            }
        }
        #expect(largestDifference(p.array, ep) < 1e-6)
    }

    @Test func aMissingGradientIsAZeroGradient() {
        var random = FixedSequence(7)
        let (p, m, v) = (random.floats(21), random.floats(21), random.floats(21, 0...1))
        let (a, b) = ((view(p), view(m), view(v)), (view(p), view(m), view(v)))
        adamUpdate(sampleConstants, gradient: nil, parameters: a.0, first: a.1, second: a.2)
        adamUpdate(
            sampleConstants, gradient: view([Float](repeating: 0, count: 21)), parameters: b.0, first: b.1, second: b.2)
        #expect(bits(a.0.array + a.1.array + a.2.array) == bits(b.0.array + b.1.array + b.2.array))
    }

    @Test func blockSumsDoNotDependOnHowARangeIsCut() {
        var random = FixedSequence(10)
        let x = view(random.floats(BlockSum.size * 3 + 100))
        let cut = BlockSum.squares(x[0..<(2 * BlockSum.size)]) + BlockSum.squares(x[(2 * BlockSum.size)..<x.count])
        #expect(BlockSum.total(BlockSum.squares(x)) == BlockSum.total(cut))
        #expect(BlockSum.totalSquares(x) == BlockSum.total(cut))
    }

    @Test(arguments: [1, 200, 256, 257, 70_000, Int32.max])
    func tokensAreGroupedByKeysOfAnySize(limit: Int32) {
        var random = FixedSequence(UInt64(limit))
        var groups = TokenGroups()
        for count in [40, 0, 300] {
            let keys = (0..<count).map { _ in Int32(random.next() % UInt64(limit)) }
            groups.set(occurring: keys[...], except: keys.last)
            let tokens = keys.indices.filter { keys[$0] != keys.last }.sorted { (keys[$0], $0) < (keys[$1], $1) }
            #expect(groups.order == tokens.map { Int32($0) })
            #expect(groups.keys == Set(tokens.map { keys[$0] }).sorted())
            #expect(
                groups.starts == groups.keys.map { key in Int32(tokens.firstIndex { keys[$0] == key } ?? -1) } + [
                    Int32(tokens.count)
                ])
        }
    }

    @Test func rowsAreSummedByGroupInTokenOrder() {
        let keys: [Int32] = [7, 2, 7, 7, 0]
        let x = matrix([1e8, 1, 3, 1, 3, 5, -1e8, 1, 9, 1], rows: 5, columns: 2)
        var groups = TokenGroups()
        groups.set(occurring: keys[...])
        #expect(groups.keys == [0, 2, 7])
        let y = zeros(3, 2)
        sumRows(x, by: groups, lanes: LaneRows(one: 5), into: y)
        #expect(y.elements.array == [9, 1, 3, 1, (1e8 + 3) + -1e8, 7])
        var all = TokenGroups()
        all.set(all: keys, limit: 9)
        let dense = zeros(9, 2)
        sumRows(x, by: all, lanes: LaneRows(one: 5), into: dense)
        for key in 0..<9 {
            let place = groups.keys.firstIndex(of: Int32(key))
            #expect(
                dense.rows(key..<(key + 1)).elements.array
                    == (place.map { y.rows($0..<($0 + 1)).elements.array } ?? [0, 0]))
        }
    }
}
