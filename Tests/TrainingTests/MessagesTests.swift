import Foundation
import Kernels
import Testing

@testable import Training

@Suite struct MessagesTests {
    @Test func `an update's constants travel as bit patterns`() throws {
        for kind in OptimizerSettings.Kind.allCases {
            let settings = OptimizerSettings(kind: kind, weightDecay: 0.01, maxGradientNorm: 1, factors: [0.25, 0.5, 1], beginnings: [6, 0])
            let update = settings.update(step: 17, learningRate: 3.3e-5, gradientScale: 0.37)
            let commit = try JSONDecoder().decode(Commit.self, from: JSONEncoder().encode(Commit(step: 17, update)))
            #expect(OptimizerUpdate(bits: commit.constants) == update)
            #expect(update.groups.allSatisfy { $0.decayed != $0.plain })
            for count in [0, 1, commit.constants.count - 1] { #expect(OptimizerUpdate(bits: Array(commit.constants.prefix(count))) == nil) }
            #expect(OptimizerUpdate(bits: commit.constants + [0]) == nil)
        }
    }

    @Test func `packed numbers come back as they were, and other bytes are refused`() throws {
        struct Numbers: Codable, Equatable {
            @Packed var few: [UInt32]
            @Packed var many: [UInt64]
        }
        for numbers in [Numbers(few: [], many: []), Numbers(few: [1, .max, 0], many: [.max, 0x0123_4567_89AB_CDEF])] {
            #expect(try JSONDecoder().decode(Numbers.self, from: JSONEncoder().encode(numbers)) == numbers)
        }
        let text = String(decoding: try JSONEncoder().encode(Numbers(few: [1], many: [])), as: UTF8.self)
        #expect(text.contains(#""AQAAAA==""#))
        for bad in [#""AQAA""#, #""AQAAAAA=""#, #""?""#, "[1]", "7"] {
            let bytes = Data(text.replacing(#""AQAAAA==""#, with: bad).utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(Numbers.self, from: bytes) }
        }
    }

    @Test(arguments: 1...9)
    func `the shares of all workers are all lanes in order`(workers: Int) {
        for lanes in 1...16 {
            let shares = LaneShares.of(laneCount: lanes, workers: workers)
            #expect(shares.count == workers)
            #expect(shares.flatMap { $0[0]..<($0[0] + $0[1]) } == Array(0..<lanes))
            #expect(shares.map { $0[1] }.max()! - shares.map { $0[1] }.min()! <= 1)
        }
    }
}
