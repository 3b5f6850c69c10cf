import Foundation
import Testing

@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs

@Suite struct MessagesTests {
    @Test func `an update's constants travel as bit patterns`() throws {
        for kind in OptimizerSettings.Kind.allCases {
            let settings = OptimizerSettings(
                kind: kind, weightDecay: 0.01, maxGradientNorm: 1, factors: [0.25, 0.5, 1], beginnings: [6, 0])
            let update = settings.update(step: 17, learningRate: 3.3e-5, gradientScale: 0.37)
            let commit = try JSONDecoder().decode(Commit.self, from: JSONEncoder().encode(Commit(step: 17, update)))
            #expect(OptimizerUpdate(bits: commit.constants) == update)
            #expect(update.groups.allSatisfy { $0.decayed != $0.plain })
            for count in [0, 1, commit.constants.count - 1] {
                #expect(OptimizerUpdate(bits: Array(commit.constants.prefix(count))) == nil)
            }
            #expect(OptimizerUpdate(bits: commit.constants + [0]) == nil)
        }
    }

    @Test func `a step's messages come back as they were, and no other row of words is one`() throws {
        let update = OptimizerSettings(kind: .adamw, weightDecay: 0.01, maxGradientNorm: 1).update(
            step: 6, learningRate: 1e-4, gradientScale: 1)
        let commit = Commit(step: 6, update, lossSum: 1.5, sourceLossSum: -.infinity, norm: .nan)
        try checkWords(commit)
        for commit in [nil, commit] {
            for lanes in [[], [3], [0, 7, 9]] {
                try checkWords(
                    StepCommand(
                        step: 7, commit: commit, batches: 2, emptyLanes: lanes, lossScale: .max, sourceBatches: 1,
                        sourceScale: 5))
            }
        }
        for count in [0, 1, 3] {
            let row = (0..<count).map { UInt64.max - UInt64($0) }
            try checkWords(
                StepReady(
                    step: 9, losses: row, sourceLosses: row, digests: row, norm: 4, state: .max, compute: 0.25,
                    exchange: .infinity, wait: -0.0, bytes: -1))
        }
    }

    private func checkWords<Message: WordCoded & Equatable>(_ message: Message) throws {
        let words = message.words
        #expect(Message(words: words) == message)
        #expect(try JSONDecoder().decode(Message.self, from: JSONEncoder().encode(message)) == message)
        for count in 0..<words.count {
            // A command is complete without its commit.
            if let cut = Message(words: Array(words.prefix(count))) {
                #expect(cut.words.count == count && cut != message)
            }
        }
        #expect(Message(words: words + [0]) == nil)
    }
}
