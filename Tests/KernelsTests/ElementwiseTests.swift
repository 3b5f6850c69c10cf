import Foundation
import Kernels
import Tensors
import Testing

@Suite struct ElementwiseTests {
    private func inputs(_ range: ClosedRange<Float>) -> [Float] {
        var random = FixedSequence(11)
        return random.floats(4_003, range)
    }

    @Test func exponentialIsExactToAFewUnitsOfTheLastPlace() {
        let x = inputs(-87...88)
        let y = view(x)
        exponential(view(x), into: y)
        for (x, y) in zip(x, y.array) { #expect(abs(Double(y) / exp(Double(x)) - 1) < 2.5e-7, "at \(x)") }
        let edges = view([-1_000, -.infinity, 0, .nan])
        exponential(edges, into: edges)
        #expect(edges[0] == 0 && edges[1] == 0 && edges[2] == 1 && edges[3].isNaN)
    }

    @Test func hyperbolicTangentIsExactToAFewUnitsOfTheLastPlace() {
        let x = inputs(-12...12) + inputs(-0.4...0.4)
        let y = view(x)
        hyperbolicTangent(view(x), into: y)
        for (x, y) in zip(x, y.array) {
            #expect(abs(Double(y) - tanh(Double(x))) <= 3e-7 * abs(tanh(Double(x))), "at \(x)")
        }
    }

    @Test func logarithmAgreesWithTheLibrarys() {
        #expect(naturalLogarithm(.nan).isNaN && naturalLogarithm(.infinity) == .infinity)
        for x in [1e-30, 0.1, 0.5, 0.7071, 1, 1.0000001, 1.5, 2, 30_522, 1e30] {
            #expect(abs(naturalLogarithm(x) - log(x)) < 1e-13 * max(1, abs(log(x))))
        }
    }

    private func value(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case .geluTanh: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .relu: max(0, x)
        }
    }

    @Test(arguments: Activation.allCases)
    func activationsAndTheirDerivativesMatchDoublePrecision(activation: Activation) {
        let x = inputs(-9...9)
        let product = matrix(x, rows: 1, columns: x.count)
        let y = zeros(1, x.count)
        let bias = view([Float](repeating: 0.25, count: x.count))
        activate(activation, bias: bias, product, into: y)
        for place in x.indices {
            let z = Double(x[place] + 0.25)
            #expect(abs(Double(y.elements[place]) - value(activation, z)) < 3e-7 * max(1, abs(z)), "at \(z)")
            let h = 1e-5
            if activation == .relu && abs(z) < 2 * h { continue }
            let slope = (value(activation, z + h) - value(activation, z - h)) / (2 * h)
            #expect(abs(Double(product.elements[place]) - slope) < 2e-6, "slope at \(z)")
        }
    }

    /// An element's bits must not depend on its position: full vectors and the rest use the same arithmetic.
    @Test func elementsKeepTheirBitsAtAnyOffset() {
        var random = FixedSequence(5)
        let x = random.floats(97, -4...4)
        func gelu(_ values: ArraySlice<Float>) -> [UInt32] {
            let m = matrix(Array(values), rows: 1, columns: values.count)
            let y = zeros(1, values.count)
            activate(.gelu, bias: view([Float](repeating: 0, count: values.count)), m, into: y)
            return bits(y.elements.array)
        }
        let whole = gelu(x[...])
        for start in 0..<17 { for end in 80..<97 { #expect(gelu(x[start..<end]) == Array(whole[start..<end])) } }
    }

    @Test func everyInstructionSetGivesTheSameBits() {
        let results = onEachInstructionSet {
            var random = FixedSequence(8)
            let x = matrix(random.floats(7 * 45, -5...5), rows: 7, columns: 45)
            let y = zeros(7, 45)
            let dropped = Arena()
            let mask = dropped.takeBits(7 * 3)
            dropoutBits(
                mask, key: DropoutKey(seed: 7, step: 3), rate: DropoutRate(0.3), position: 5, layer: 1,
                site: .feedForward)
            let inverse = view([Float](repeating: 0, count: 7))
            layerNorm(
                x, NormalizationInput(bits: mask, rate: DropoutRate(0.3)), gain: view(random.floats(45)),
                shift: view(random.floats(45)),
                epsilon: 1e-5, into: y, inverseDeviation: inverse)
            var all = bits(y.elements.array) + bits(x.elements.array) + bits(inverse.array)
            activate(.gelu, bias: view(random.floats(45)), x, into: y)
            all += bits(x.elements.array) + bits(y.elements.array)
            let (p, m, v) = (view(random.floats(45)), view(random.floats(45)), view(random.floats(45, 0...1)))
            adamUpdate(sampleConstants, gradient: view(random.floats(45)), parameters: p, first: m, second: v)
            all += bits(p.array) + bits(m.array) + bits(v.array)
            let sums = summedAdamUpdate(
                sampleConstants, gradient: nil, parameters: p, first: m, second: v, places: (parameters: 5, moments: 99)
            )
            for sum in [sums.parameters, sums.moments, PositionSum.of(p, from: 3, .secondMoments)] {
                all += [UInt32(truncatingIfNeeded: sum), UInt32(truncatingIfNeeded: sum >> 32)]
            }
            let squares = sumOfSquares(y.elements)
            all += [
                UInt32(truncatingIfNeeded: squares.bitPattern), UInt32(truncatingIfNeeded: squares.bitPattern >> 32),
            ]
            let logits = view(random.floats(37))
            let loss = crossEntropy(logits, label: 3, scale: 0.5)
            all += bits(logits.array) + [UInt32(truncatingIfNeeded: loss.bitPattern)]
            return all
        }
        for other in results.dropFirst() { #expect(other == results[0]) }
    }

    @Test func finitenessFindsOneBadElementAnywhere() {
        for count in [1, 16, 33] {
            let values = view([Float](repeating: 1, count: count))
            #expect(isFinite(values))
            for place in 0..<count {
                for bad in [Float.nan, .infinity, -.infinity] {
                    values[place] = bad
                    #expect(!isFinite(values))
                    values[place] = 1
                }
            }
        }
    }
}

let sampleConstants = AdamConstants(
    gradientScale: 0.5, beta1: 0.9, beta2: 0.999, oneMinusBeta1: 0.1, oneMinusBeta2: 0.001, stepSize: 0.01,
    inverseRootCorrection: 1.5,
    epsilon: 1e-8, decayFactor: 0.99, l2: 0.01)
