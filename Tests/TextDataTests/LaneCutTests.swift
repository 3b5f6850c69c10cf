import Testing

@testable import TextData

@Suite struct LaneCutTests {
    /// Lengths from 1 to `longest` that differ with every argument.
    private func lengths(_ count: Int, longest: UInt32, seed: UInt64) -> [Int32] {
        let random = Philox(key: seed)
        return (0..<count).map { Int32(1 + random([UInt32($0), 0, 0, 0])[0] % longest) }
    }

    @Test(arguments: 1...16)
    func everySampleIsInOneLaneAndLanesAreEven(laneCount: Int) {
        for count in 0...50 {
            for longest in [1, 3, 40, 128] as [UInt32] {
                let lengths = lengths(count, longest: longest, seed: UInt64(count))
                let lanes = LaneCut.lanes(lengths: lengths, laneCount: laneCount)
                #expect(lanes.count == laneCount)
                #expect(lanes.joined().sorted() == Array(0..<count))
                #expect(lanes.allSatisfy { $0 == $0.sorted() })
                #expect(lanes.count(where: \.isEmpty) == max(0, laneCount - count))
                let weights = lanes.map { $0.reduce(0) { $0 + Int(lengths[$1]) } }
                #expect(weights.max()! - weights.min()! <= Int(lengths.max() ?? 0))
            }
        }
    }

    @Test func theLongestGoesFirstIntoTheLightestLane() {
        #expect(LaneCut.lanes(lengths: [2, 9, 4, 4, 1], laneCount: 2) == [[1, 4], [0, 2, 3]])
    }

    @Test func equalsGoToTheLowerPositionAndTheLowerLane() {
        #expect(LaneCut.lanes(lengths: [5, 5, 5, 5, 5], laneCount: 3) == [[0, 3], [1, 4], [2]])
    }
}
