import Testing

@testable import Configuration
@testable import Learning
@testable import Runs

@Suite struct EvaluationStepsTests {
    @Test func `the count is that of the steps from there on`() {
        for total in 1...13 {
            for perEpoch in 1...14 {
                for every in [nil, 1, 2, 3, 4, 6, 13, 20] {
                    let steps = EvaluationSteps(total: total, perEpoch: perEpoch, every: every)
                    #expect(!steps.contains(0))
                    for first in 1...(total + 1) {
                        let counted = (first..<(total + 1)).count(where: steps.contains)
                        #expect(
                            steps.count(from: first) == counted,
                            "\(total) steps, \(perEpoch) an epoch, every \(every ?? 0), from \(first)")
                    }
                }
            }
        }
    }

    @Test func `options without effect are named`() throws {
        let small = try SmallRun(samples: 70)
        // Three steps an epoch.
        func doubts(_ change: (inout TrainingConfiguration) -> Void) throws -> [String] {
            let inputs = try small.inputs {
                ($0.epochs, $0.validation) = (3, $0.train)
                change(&$0)
            }
            return RunInputs.doubts(inputs.configuration, inputs.plan)
        }
        #expect(try doubts { ($0.warmupSteps, $0.evalEvery, $0.patience) = (9, 9, 1) } == [])
        let lines = try doubts { ($0.warmupSteps, $0.evalEvery, $0.patience) = (18, 10, 2) }
        #expect(lines.count == 3)
        #expect(
            lines[0].contains("--warmup-steps 18 is longer than the run of 9 steps: the learning rate ends at 50.0 %"))
        #expect(lines[1].contains("--eval-every 10 is longer than the run of 9 steps"))
        #expect(lines[2].contains("--patience 2 cannot end this run early: it is scored 3 times"))
        #expect(try doubts { ($0.evalEvery, $0.patience) = (2, 4) } == [])
    }
}
