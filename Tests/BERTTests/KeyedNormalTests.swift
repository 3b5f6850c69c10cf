import Testing

@testable import BERT

@Suite struct KeyedNormalTests {
    private func draws(_ count: Int, key: UInt64, stream: UInt32) -> [Double] {
        var normal = KeyedNormal(key: key, stream: stream)
        return (0..<count).map { _ in normal.next() }
    }

    @Test func oneKeyAndStreamGiveOneSequence() {
        #expect(draws(1_001, key: 7, stream: 3) == draws(1_001, key: 7, stream: 3))
        #expect(Set(draws(1_001, key: 7, stream: 3)).isDisjoint(with: draws(1_001, key: 7, stream: 4)))
        #expect(Set(draws(1_001, key: 7, stream: 3)).isDisjoint(with: draws(1_001, key: 8, stream: 3)))
    }

    @Test func isNormal() {
        let values = draws(40_000, key: 1, stream: 0)
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
        // Shares below -2, -1, 0, 1 and 2 deviations.
        for (limit, share) in [(-2.0, 0.02275), (-1, 0.15866), (0, 0.5), (1, 0.84134), (2, 0.97725)] {
            #expect(abs(Double(values.count { $0 < limit }) / count - share) < 0.01, "below \(limit)")
        }
        #expect(values.allSatisfy { abs($0) < 6 })
    }

    @Test func neighboursAreIndependent() {
        let values = draws(40_000, key: 5, stream: 2)
        for distance in [1, 2] {
            let product =
                zip(values, values.dropFirst(distance)).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count - distance)
            #expect(abs(product) < 0.02, "at distance \(distance)")
        }
    }
}
