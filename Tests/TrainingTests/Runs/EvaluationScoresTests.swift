import BERT
import Tensors
import Testing
import TextData

@testable import Learning
@testable import Runs

@Suite struct EvaluationScoresTests {
    @Test func `scores of every chunk are kept while they fit, and then those of fewer chunks`() throws {
        let small = try SmallRun(samples: 70)
        let inputs = try small.inputs()
        let data = try #require(inputs.datasets[.train])
        let (head, shape) = (inputs.model.head, inputs.model.shape)
        let chunks = Evaluation.chunks(of: data.count).count
        let whole = try #require(ScorePlan(data, head, shape))
        #expect(whole.every == 1 && whole.keptCount == data.count && Array(whole.chunks) == Array(0..<chunks))
        for most in [
            data.count * whole.width - 1, 2 * Evaluation.chunkSize * whole.width, Evaluation.chunkSize * whole.width,
        ] {
            guard let plan = ScorePlan(data, head, shape, most: most) else { continue }
            #expect(plan.keptCount * plan.width <= most)
            #expect(plan.every > 1 || plan.keptCount == data.count)
            #expect(Array(plan.chunks) == (0..<chunks).filter(plan.keeps))
            #expect(EvaluationScores(plan).answers.count == plan.keptCount)
        }
        #expect(ScorePlan(data, .maskedLanguageModel, shape) == nil)
    }

    @Test func `an evaluation keeps the logits that its figures come from`() throws {
        let small = try SmallRun(samples: 70)
        let inputs = try small.inputs()
        let data = try #require(inputs.datasets[.train])
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: 2)
        let scored = ScoredSamples()
        #expect(scored.share == 0)
        let evaluated = try Evaluation.run(
            data, runner: runner, parameters: inputs.parameters.view, names: inputs.labels?.names, counting: scored)
        #expect(scored.share == 1)
        let scores = try #require(evaluated.scores)
        guard case .classes(let classes) = data.labels else { return }
        let logits = scores.logits.array
        let width = scores.plan.width
        let correct = classes.indices.count {
            Evaluation.largestIndex(logits[($0 * width)..<(($0 + 1) * width)]) == Int(classes[$0])
        }
        #expect(evaluated.report.accuracy == Double(correct) / Double(data.count))
        var figures = FurtherFigures()
        figures.add(probabilities: FurtherFigures.softmax(logits, width: width), truths: classes.map { Int($0) }, width)
        #expect(figures.rocAUC != nil && figures.rocAUC == evaluated.report.further.rocAUC)
        #expect(evaluated.report.further.scoredAnswers == nil)
    }
}
