import Kernels
import Tensors
import Testing

@Suite struct DropoutTests {
    private func mask(
        _ words: Range<Int>, key: DropoutKey = DropoutKey(seed: 1, step: 2), position: UInt32 = 4, layer: Int = 3,
        site: DropoutSite = .attentionOutput, rate: Double = 0.1
    ) -> [UInt16] {
        let bits = Arena().takeBits(words.count)
        dropoutBits(
            bits, from: words.lowerBound, key: key, rate: DropoutRate(rate), position: position, layer: layer,
            site: site)
        return (0..<bits.count).map { bits[$0] }
    }

    @Test func anyPartOfAMaskCanBeMadeAlone() {
        let whole = mask(0..<40)
        for first in 0..<20 { for last in first..<40 { #expect(mask(first..<last) == Array(whole[first..<last])) } }
    }

    @Test func everyPartOfTheKeyChangesTheMask() {
        let base = mask(0..<16)
        #expect(mask(0..<16, key: DropoutKey(seed: 2, step: 2)) != base)
        #expect(mask(0..<16, key: DropoutKey(seed: 1, step: 3)) != base)
        #expect(mask(0..<16, key: DropoutKey(seed: 1, step: 2, stream: 1)) != base)
        #expect(mask(0..<16, position: 5) != base)
        #expect(mask(0..<16, layer: 4) != base)
        #expect(mask(0..<16, site: .feedForward) != base)
        #expect(mask(0..<16) == base)
    }

    @Test(arguments: [0.05, 0.1, 0.3, 0.5, 0.9])
    func theRateIsMetWithinFourDeviations(rate: Double) {
        for site in [DropoutSite.embeddings, .attention, .attentionOutput, .feedForward, .head] {
            let words = mask(0..<8_192, site: site, rate: rate)
            let count = Double(words.count * 16)
            let dropped = count - Double(words.reduce(0) { $0 + $1.nonzeroBitCount })
            #expect(
                abs(dropped / count - rate) < 4 * (rate * (1 - rate) / count).squareRoot() + 1 / 65_536.0, "at \(site)")
        }
    }

    @Test func neighbouringBitsAreIndependent() {
        let words = mask(0..<8_192, rate: 0.5)
        let all = words.flatMap { word in (0..<16).map { word >> UInt16($0) & 1 } }
        for distance in [1, 2, 16, 128] {
            let equal = zip(all, all.dropFirst(distance)).count { $0 == $1 }
            let count = Double(all.count - distance)
            #expect(abs(Double(equal) / count - 0.5) < 4 * (0.25 / count).squareRoot())
        }
    }

    @Test func keptElementsAreScaledAndOthersAreZero() {
        let rate = DropoutRate(0.25)
        let bits = Arena().takeBits(2 * 3)
        dropoutBits(bits, key: DropoutKey(seed: 9, step: 1), rate: rate, position: 0, layer: 0, site: .head)
        let x = matrix((1...80).map(Float.init), rows: 2, columns: 40)
        let y = zeros(2, 40)
        dropout(x, bits: bits, rate: rate, into: y)
        for row in 0..<2 {
            for column in 0..<40 {
                let kept = bits[row * 3 + column / 16] >> UInt16(column % 16) & 1 == 1
                #expect(y[row, column] == (kept ? x[row, column] * rate.scale : 0))
            }
        }
        let sums = view([Float](repeating: 0, count: 40))
        let scratch = zeros(2, 40)
        let back = dropoutBackward(
            x, bits: bits, rate: rate, scratch: scratch, lanes: LaneRows(one: x.rows), biasGradient: sums)
        #expect(back.elements.array == y.elements.array)
        for column in 0..<40 { #expect(sums[column] == y[0, column] + y[1, column]) }
    }

    @Test func theScaleKeepsTheMean() {
        for rate in [0.0, 0.1, 0.5, 0.999] {
            let r = DropoutRate(rate)
            #expect(abs(Double(r.scale) * (1 - Double(r.threshold) / 65_536) - 1) < 1e-6)
        }
        #expect(DropoutRate(0).isZero && !DropoutRate(0.1).isZero)
    }
}
