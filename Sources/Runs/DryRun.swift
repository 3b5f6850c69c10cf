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
    private let workers: Int

    /// - Parameters:
    ///   - configuration: its threads are those of all workers together.
    ///   - workers: of the job; 1: it is this process.
    package init(_ configuration: TrainingConfiguration, workers: Int = 1) {
        self.configuration = configuration
        self.workers = workers
    }

    /// One line each. Does what a run does, in its order and with its memory, of each part only as much as shows its
    /// time and memory.
    package func lines() async throws -> [String] {
        let start = ContinuousClock.now
        try configuration.blas.use(threads: configuration.threads)
        let inputs = try RunInputs(configuration)
        let plan = inputs.plan
        let model = try inputs.model(ofStep: 1)
        let replica = Replica(model: model, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        _ = try await engine.begin(after: 0)
        // The first step allocates memory that later ones reuse, and computes the features of a frozen encoder.
        _ = try await Self.seconds(engine, plan, steps: [1])
        let starting = (ContinuousClock.now - start).seconds
        let few = try await Self.seconds(engine, plan, steps: Array(1...min(3, plan.totalSteps)))
        let training = few.seconds / Double(max(1, few.tokens)) * tokensOfRun(inputs)
        _ = try await Self.seconds(engine, plan, steps: [Self.largestStep(plan)])
        let scoring = try evaluationSeconds(engine, inputs)
        let evaluations = plan.begunEpochs + (inputs.configuration.evalEvery.map { plan.totalSteps / $0 } ?? 0)
        // A worker does not score the test data. What it shares with the others, a gradient's sums of each, takes about
        // as much as one gradient, the data and the other workers' activations, which are here.
        let memoryOfWorker = peakResidentBytes() + model.layout.denseCount * MemoryLayout<Float>.stride
        let testing = try testSeconds(inputs)
        let all = starting + training + scoring.once + scoring.each * Double(evaluations) + testing
        let trained = model.layout.stateCount
        let share = 100 * Double(trained) / Double(max(1, model.layout.count))
        let threads = counted(inputs.configuration.threads, "thread")
        return inputs.dataNotes + inputs.notes + [inputs.model.precision.doubt].compactMap { $0 } + [
            "parameters: \(grouped(trained)) of \(grouped(model.layout.count)) are trained "
                + "(\(decimal(share, 2)) %)"
                + (inputs.configuration.unfreezeEvery == nil
                    ? "" : " in the first epochs; later ones train more and take longer"),
            "steps: \(plan.totalSteps), \(plan.stepsPerEpoch) an epoch, "
                + "of \(counted(plan.batchSize * plan.accumulate, "sample")) in \(counted(plan.laneCount, "lane"))",
            (workers == 1
                ? "memory of this process, with the data: \(ByteText(peakResidentBytes())); "
                : "memory of each of \(workers) workers: about \(ByteText(memoryOfWorker)); ")
                + "a checkpoint: \(ByteText(inputs.checkpointBytes))",
            "time on \(threads) of this machine: \(duration(training)) of training"
                + (scoring.each > 0
                    ? ", \(duration(scoring.each)) for "
                        + (evaluations == 1 ? "the evaluation" : "each of \(evaluations) evaluations") : "")
                + (testing > 0 ? ", \(duration(testing)) for the test data" : "")
                + ", \(duration(all)) in all but the writing of checkpoints",
            "nothing was written: leave out --dry-run to train",
        ]
    }

    /// Seconds and tokens of some steps.
    private static func seconds(_ engine: SingleProcessEngine, _ plan: TrainingPlan, steps: [Int]) async throws -> (
        seconds: Double, tokens: Int
    ) {
        var (seconds, count) = (0.0, 0)
        for number in steps {
            let step = plan.step(number, order: plan.order(ofEpoch: plan.epoch(ofStep: number)))
            let start = ContinuousClock.now
            _ = try await engine.run(step, next: nil, learningRate: 0)
            seconds += (ContinuousClock.now - start).seconds
            count += tokens(of: step)
        }
        return (seconds, count)
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

    /// Seconds of each evaluation, and those that the first one takes more: for the features of a frozen encoder.
    private func evaluationSeconds(_ engine: SingleProcessEngine, _ inputs: RunInputs) throws -> (
        once: Double, each: Double
    ) {
        var (once, each) = (0.0, 0.0)
        for split in [Split.validation, .sourceValidation] {
            guard let dataset = inputs.datasets[split] else { continue }
            func score(_ chunks: [Range<Int>]) throws -> Double {
                let start = ContinuousClock.now
                _ = try engine.evaluate(split, only: chunks)
                return (ContinuousClock.now - start).seconds
            }
            let chunks = sampled(dataset, inputs)
            let first = try score([chunks.list[0]])
            let seconds = try score(chunks.list)
            if inputs.model.hasFixedFeatures { once += first }
            each += seconds * chunks.share
        }
        return (once, each)
    }

    /// Seconds for the test data, scored as at a run's end: with the best model, which is read into memory again.
    private func testSeconds(_ inputs: RunInputs) throws -> Double {
        guard let dataset = inputs.datasets[.test] else { return 0 }
        var parameters = inputs.parameters
        let start = ContinuousClock.now
        if inputs.datasets[.validation] != nil {
            let folder = try ModelFolder(inputs.configuration.model)
            parameters = try inputs.model.load(folder, keepsHead: false, seed: 0, growing: true).parameters
        }
        let loading = (ContinuousClock.now - start).seconds
        let threads = inputs.configuration.threads
        let runner = LaneRunner(model: inputs.model, laneCount: 1, threads: threads)
        let chunks = sampled(dataset, inputs)
        let begin = ContinuousClock.now
        _ = try Evaluation.run(
            dataset, Split.test.stream, runner: runner, parameters: parameters.view, only: chunks.list)
        return loading + (ContinuousClock.now - begin).seconds * chunks.share
    }

    /// Some chunks of a dataset: from all over it, and last those with the most tokens, which take the most memory.
    /// - Returns: also how many times the tokens of these the dataset has.
    private func sampled(_ dataset: TokenizedDataset, _ inputs: RunInputs) -> (list: [Range<Int>], share: Double) {
        let all = Evaluation.chunks(of: dataset.count)
        func tokens(_ chunk: Range<Int>) -> Int { chunk.reduce(0) { $0 + dataset.length(of: $1) } }
        let most = Self.chunksOfThread * inputs.configuration.threads
        guard all.count > most + inputs.configuration.threads else { return (all, 1) }
        let spread = (0..<most).map { all[$0 * all.count / most] }
        let largest = all.sorted { tokens($0) < tokens($1) }.suffix(inputs.configuration.threads)
        let list = spread + largest
        return (list, Double(dataset.tokenCount) / Double(max(1, list.reduce(0) { $0 + tokens($1) })))
    }

    /// Chunks from all over a dataset, for each thread.
    private static let chunksOfThread = 8

    private func duration(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded())
        if whole >= 3_600 { return String(format: "%d:%02d:%02d", whole / 3_600, whole / 60 % 60, whole % 60) }
        return whole >= 60 ? String(format: "%d:%02d", whole / 60, whole % 60) + " min" : "\(decimal(seconds, 1)) s"
    }
}
