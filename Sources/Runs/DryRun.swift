internal import BERT
internal import Checkpoints
package import Configuration
internal import Files
internal import Foundation
internal import Kernels
internal import Learning
internal import Telemetry
internal import Tensors
internal import TextData
internal import Wording

/// A description of a run: everything is read and checked as for the run, and three steps are timed. Writes nothing.
package struct DryRun {
    private let configuration: TrainingConfiguration

    package init(_ configuration: TrainingConfiguration) { self.configuration = configuration }

    /// One line each. The first step, the largest one, allocates memory that later ones reuse: it is not timed.
    package func lines() async throws -> [String] {
        try configuration.blas.use(threads: configuration.threads)
        let inputs = try RunInputs(configuration)
        let plan = inputs.plan
        let model = try inputs.model(ofStep: 1)
        let replica = Replica(model: model, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        _ = try await engine.begin(after: 0)
        var (tokens, seconds) = (0, 0.0)
        let numbers = [Self.largestStep(plan)] + Array(1...min(3, plan.totalSteps))
        for (index, number) in numbers.enumerated() {
            let step = plan.step(number, order: plan.order(ofEpoch: plan.epoch(ofStep: number)))
            let start = ContinuousClock.now
            _ = try await engine.run(step, next: nil, learningRate: 0)
            if index == 1 { (tokens, seconds) = (0, 0) }
            tokens += Self.tokens(of: step)
            seconds += (ContinuousClock.now - start).seconds
        }
        let perToken = seconds / Double(max(1, tokens))
        let training = perToken * tokensOfRun(inputs)
        let scoring = try evaluationSeconds(inputs, [.validation, .sourceValidation], replica.parameters.view)
        let evaluations = plan.begunEpochs + (inputs.configuration.evalEvery.map { plan.totalSteps / $0 } ?? 0)
        let testing = try testSeconds(inputs)
        let all = training + scoring * Double(evaluations) + testing
        let trained = model.layout.stateCount
        let share = 100 * Double(trained) / Double(max(1, model.layout.count))
        let threads = counted(inputs.configuration.threads, "thread")
        return inputs.dataNotes + inputs.notes + [inputs.model.precision.doubt].compactMap { $0 } + [
            "parameters: \(TrainedShare.grouped(trained)) of \(TrainedShare.grouped(model.layout.count)) are trained "
                + "(\(decimal(share, 2)) %)"
                + (inputs.configuration.unfreezeEvery == nil
                    ? "" : " in the first epochs; later ones train more and take longer"),
            "steps: \(plan.totalSteps), \(plan.stepsPerEpoch) an epoch, "
                + "of \(counted(plan.batchSize * plan.accumulate, "sample")) in \(counted(plan.laneCount, "lane"))",
            "memory of this process, with the data: \(ByteText(peakResidentBytes())); "
                + "a checkpoint: \(ByteText(inputs.checkpointBytes))",
            "time on \(threads) of this machine: \(duration(training)) of training"
                + (scoring > 0
                    ? ", \(duration(scoring)) for "
                        + (evaluations == 1 ? "the evaluation" : "each of \(evaluations) evaluations") : "")
                + (testing > 0 ? ", \(duration(testing)) for the test data" : "")
                + (all > training ? ", \(duration(all)) in all" : ""),
            "nothing was written: leave out --dry-run to train",
        ]
    }

    /// Of the first epoch's steps, the one with the longest lane: it takes the most memory.
    private static func largestStep(_ plan: TrainingPlan) -> Int {
        let order = plan.order(ofEpoch: 1)
        let looked = 1...min(plan.totalSteps, plan.stepsPerEpoch, mostLooked)
        func longestLane(_ number: Int) -> Int {
            plan.step(number, order: order).lanes.map { lane in
                lane.joined().reduce(0) { $0 + Int(plan.lengths[Int($1.sample)]) }
            }.max() ?? 0
        }
        return looked.map { (longestLane($0), $0) }.max { $0.0 < $1.0 }?.1 ?? 1
    }

    /// Most steps among which the largest is searched.
    private static let mostLooked = 1_000

    private static func tokens(of step: StepPlan) -> Int { step.tokenCount + (step.source?.tokenCount ?? 0) }

    /// Tokens of all steps; for the source task on average.
    private func tokensOfRun(_ inputs: RunInputs) -> Double {
        let plan = inputs.plan
        let epoch = plan.lengths.reduce(0.0) { $0 + Double($1) }
        let target = epoch / Double(plan.stepsPerEpoch) * Double(plan.totalSteps)
        guard let source = plan.source, !source.lengths.isEmpty else { return target }
        let mean = source.lengths.reduce(0.0) { $0 + Double($1) } / Double(source.lengths.count)
        return target + mean * Double(source.batchSize * plan.accumulate * plan.totalSteps)
    }

    /// Seconds for the test data, scored as at a run's end: with the best model, which is read into memory again.
    private func testSeconds(_ inputs: RunInputs) throws -> Double {
        guard inputs.datasets[.test] != nil else { return 0 }
        guard inputs.datasets[.validation] != nil else {
            return try evaluationSeconds(inputs, [.test], inputs.parameters.view)
        }
        let folder = try ModelFolder(inputs.configuration.model)
        let best = try inputs.model.load(folder, keepsHead: false, seed: 0, growing: true).parameters
        return try evaluationSeconds(inputs, [.test], best.view)
    }

    /// Seconds of one evaluation, estimated from some of its chunks.
    private func evaluationSeconds(_ inputs: RunInputs, _ splits: [Split], _ parameters: FloatView) throws -> Double {
        let threads = inputs.configuration.threads
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: threads)
        var all = 0.0
        for split in splits {
            guard let dataset = inputs.datasets[split] else { continue }
            let few = min(dataset.count, 4 * threads * Evaluation.chunkSize)
            let start = ContinuousClock.now
            _ = try Evaluation.run(dataset, split.stream, runner: runner, parameters: parameters, first: few)
            let seconds = (ContinuousClock.now - start).seconds
            let tokens = (0..<few).reduce(0) { $0 + dataset.length(of: $1) }
            all += seconds * Double(dataset.tokenCount) / Double(max(1, tokens))
        }
        return all
    }

    private func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole >= 3_600 { return String(format: "%d:%02d:%02d", whole / 3_600, whole / 60 % 60, whole % 60) }
        return whole >= 60 ? String(format: "%d:%02d", whole / 60, whole % 60) + " min" : "\(decimal(seconds, 1)) s"
    }
}
