import Foundation
import Kernels
import Tensors
import Testing

/// The losses against their formulas in double precision.
@Suite struct LossTests {
    private static let options = [
        LossOptions(), LossOptions(labelSmoothing: 0.1), LossOptions(classWeights: [0.5, 2, 1.25]),
        LossOptions(labelSmoothing: 0.3, classWeights: [0.5, 2, 1.25]),
    ]

    /// -Σ target_c w_c log p_c, where the target is 1 - e of the class and e / C of each.
    private func reference(_ logits: [Float], _ label: Int, _ options: LossOptions) -> (
        loss: Double, gradient: [Double]
    ) {
        let most = logits.map(Double.init).max() ?? 0
        let all = logits.reduce(0) { $0 + exp(Double($1) - most) }
        let due = logits.indices.map { place in
            ((place == label ? 1 - options.labelSmoothing : 0) + options.labelSmoothing / Double(logits.count))
                * options.weight(of: place)
        }
        let loss = logits.indices.reduce(0) { $0 - due[$1] * (Double(logits[$1]) - most - log(all)) }
        let sum = due.reduce(0, +)
        return (loss, logits.indices.map { sum * exp(Double(logits[$0]) - most) / all - due[$0] })
    }

    @Test(arguments: 0..<4, 0..<3)
    func `weights and smoothing follow the formula`(which: Int, label: Int) {
        var random = FixedSequence(UInt64(10 * which + label))
        let logits = random.floats(3, -6...6)
        let options = Self.options[which]
        let expected = reference(logits, label, options)
        let row = view(logits)
        #expect(abs(crossEntropy(row, label: label, options: options, scale: nil) - expected.loss) < 1e-5)
        #expect(row.array == logits)
        _ = crossEntropy(row, label: label, options: options, scale: 0.25)
        for place in 0..<3 { #expect(abs(Double(row[place]) - 0.25 * expected.gradient[place]) < 1e-6) }
    }

    @Test func `plain options have the bits of the plain loss`() {
        var random = FixedSequence(3)
        let logits = random.floats(37, -6...6)
        let (a, b) = (view(logits), view(logits))
        let losses = (
            crossEntropy(a, label: 5, scale: 0.5), crossEntropy(b, label: 5, options: LossOptions(), scale: 0.5)
        )
        #expect(losses.0 == losses.1 && a.array.map(\.bitPattern) == b.array.map(\.bitPattern))
    }

    @Test(arguments: [1, 5, 16, 37])
    func `binary cross-entropy follows its formula`(count: Int) {
        var random = FixedSequence(UInt64(count))
        let logits = random.floats(count, -30...30)
        let targets = logits.indices.map { Float($0 % 3 == 0 ? 1 : 0) }
        let expected = zip(logits, targets).reduce(0) { sum, pair in
            let z = Double(pair.0)
            return sum + max(z, 0) - z * Double(pair.1) + log1p(exp(-abs(z)))
        }
        let row = view(logits)
        #expect(abs(binaryCrossEntropy(row, targets: targets[...], scale: nil) - expected) < 1e-5 * Double(count))
        _ = binaryCrossEntropy(row, targets: targets[...], scale: 0.25)
        for place in 0..<count {
            let p = 1 / (1 + exp(-Double(logits[place])))
            #expect(abs(Double(row[place]) - 0.25 * (p - Double(targets[place]))) < 1e-6)
        }
    }

    @Test func `a logit that is not a number shows in the loss`() {
        let row = view([1, .nan, 2])
        #expect(binaryCrossEntropy(row, targets: [0, 1, 0], scale: 1).isNaN)
        #expect(row[1].isNaN)
        #expect(squaredError(view([.nan]), targets: [1], scale: nil).isNaN)
    }

    @Test func `several squared errors are added`() {
        let row = view([1, -2, 0.5])
        #expect(squaredError(row, targets: [0.5, 1, 0.5], scale: 0.5) == 9.25)
        #expect(row.array == [0.5, -3, 0])
    }

    @Test func `means are taken and given back sentence by sentence`() {
        let x = matrix([1, 2, 3, 4, 5, 12, 7, 8], rows: 4, columns: 2)
        let y = zeros(2, 2)
        meanRows(x, offsets: [0, 3, 4], into: y)
        #expect(y.elements.array == [3, 6, 7, 8])
        let back = zeros(4, 2)
        meanRowsBackward(matrix([3, 6, 1, 2], rows: 2, columns: 2), offsets: [0, 3, 4], into: back)
        #expect(back.elements.array == [1, 2, 1, 2, 1, 2, 1, 2])
    }
}
