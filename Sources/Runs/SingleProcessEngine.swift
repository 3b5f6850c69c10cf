package import BERT
internal import Configuration
internal import Console
internal import Kernels
package import Learning
internal import Tensors
package import TextData
internal import Wording

/// All lanes in this process, on its threads.
package final class SingleProcessEngine: StepEngine {
    private let inputs: RunInputs
    private var replica: Replica
    private var runner: LaneRunner
    /// The parts that the replica's model does not train.
    private var freeze: [String]?
    private let debug: Bool
    private let stop: StopRequest
    /// Memory of the last step, for reuse.
    private var work = LaneWork()
    private var update = OptimizerUpdate()
    /// Features of the datasets used since the encoder is frozen.
    private var features: [Split: FeatureStore] = [:]

    /// - Parameters:
    ///   - replica: the initial state.
    ///   - stop: ends an evaluation before its end.
    package init(inputs: RunInputs, replica: Replica, debug: Bool, stop: StopRequest = StopRequest()) {
        self.stop = stop
        self.inputs = inputs
        self.replica = replica
        runner = LaneRunner(
            model: replica.model, laneCount: inputs.plan.laneCount, threads: replica.threads,
            recompute: inputs.configuration.recompute)
        self.debug = debug
    }

    package var workers: Int { 1 }
    package var threads: Int { replica.threads }
    package var fewestThreads: Int { replica.threads }

    package func begin(after step: Int) async throws -> RunBeginning { RunBeginning(step: step) }

    package func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        try enterStage(ofStep: plan.step)
        return try step(plan, learningRate: learningRate)
    }

    package func evaluate(_ split: Split, counting scored: ScoredSamples) async throws -> Evaluated {
        try evaluate(split, only: nil, counting: scored)
    }

    /// - Parameter chunks: the only ones to score; nil: all.
    func evaluate(_ split: Split, only chunks: [Range<Int>]?, counting scored: ScoredSamples? = nil) throws -> Evaluated
    {
        guard let dataset = inputs.datasets[split] else {
            throw RunError("there is no \(split.rawValue) data to evaluate")
        }
        return try Evaluation.run(
            dataset, split.stream, runner: runner, parameters: replica.parameters.view, features: features(split),
            names: split.stream == .target ? inputs.labels?.names : nil, only: chunks, counting: scored,
            stop: stop)
    }

    package func state() async throws -> TrainingState {
        TrainingState(
            parameters: replica.parameters, first: replica.first, second: replica.second, touched: replica.touched)
    }

    /// Switches to the parameters that a step trains.
    private func enterStage(ofStep step: Int) throws {
        let wanted = inputs.freeze(ofStep: step)
        guard wanted != freeze else { return }
        freeze = wanted
        let model = try inputs.model(ofStep: step)
        guard model.layout.stateCount != replica.model.layout.stateCount else { return }
        replica = Replica(
            model: model, state: replica.state.converted(from: replica.model, to: model), step: replica.step,
            threads: replica.threads)
        runner = LaneRunner(
            model: model, laneCount: runner.laneCount, threads: replica.threads, recompute: runner.recompute)
    }

    /// A dataset's features, computed on first use; nil if they differ between steps.
    private func features(_ split: Split) throws -> FeatureStore? {
        guard runner.model.hasFixedFeatures, let dataset = inputs.datasets[split] else {
            features = [:]
            return nil
        }
        let store =
            try features[split]
            ?? Activity.during(
                "computing the frozen encoder's output for \(counted(dataset.count, "\(split.rawValue) sample"))",
                of: dataset.count
            ) { activity throws(StoppedBetweenSteps) in
                try Evaluation.features(
                    of: dataset, runner: runner, parameters: replica.parameters.view, stop: stop
                ) { activity.advance(by: $0) }
            }
        features[split] = store
        return store
    }

    /// Lanes, sum, norm, update. To look at a training step in a debugger, set the breakpoint here.
    private func step(_ plan: StepPlan, learningRate: Double) throws -> StepReport {
        guard let dataset = inputs.datasets[.train] else { preconditionFailure("a step needs training data") }
        work.fill(
            plan, of: dataset, features: try features(.train), source: inputs.datasets[.sourceTrain],
            model: replica.model,
            seed: inputs.configuration.seed)
        let watch = debug ? NonFiniteWatch() : nil
        let results = runner.run(work, parameters: replica.parameters.view, observe: watch?.observer)
        let total = results.blocks[0]
        defer { runner.pool.give(back: total) }
        let gradient = StepGradient(total)
        let norm = replica.norm(of: gradient)
        if !norm.isFinite || results.laneLosses.contains(where: { !$0.isFinite }) {
            throw nonFinite(plan, work, results.laneLosses, origin: watch?.found)
        }
        let optimizer = inputs.optimizer
        let scale = optimizer.clippingFactor(norm: norm)
        update.fill(by: optimizer, step: plan.step, learningRate: learningRate, gradientScale: scale)
        replica.apply(gradient, update)
        return StepReport(lossSum: results.lossSum, sourceLossSum: results.sourceLossSum, gradientNorm: norm)
    }

    /// The first lane whose loss or gradient is not finite, found by recomputing each lane separately.
    private func nonFinite(_ plan: StepPlan, _ work: LaneWork, _ losses: [LaneLoss], origin: String?) -> NonFiniteStep {
        let lane =
            losses.firstIndex { !$0.isFinite } ?? work.lanes.indices.first { lane in
                var alone = work
                alone.lanes = work.lanes.enumerated().map { $0 == lane ? $1 : [] }
                let result = runner.run(alone, parameters: replica.parameters.view).blocks[0]
                defer { runner.pool.give(back: result) }
                return !replica.norm(of: StepGradient(result)).isFinite
            } ?? 0
        return NonFiniteStep(plan, lane: lane, origin: origin)
    }
}

extension LaneWork {
    /// All lanes of a step.
    /// - Parameters:
    ///   - features: instead of the target samples' tokens.
    ///   - source: the source task's data, if there is one.
    package init(
        _ plan: StepPlan, of dataset: TokenizedDataset, features: FeatureStore? = nil, source: TokenizedDataset? = nil,
        model: BERTModel,
        seed: UInt64
    ) {
        self.init()
        fill(plan, of: dataset, features: features, source: source, model: model, seed: seed)
    }

    /// Loads another step's lanes into the same memory.
    package mutating func fill(
        _ plan: StepPlan, of dataset: TokenizedDataset, features: FeatureStore?, source: TokenizedDataset?,
        model: BERTModel, seed: UInt64
    ) {
        if lanes.count != plan.lanes.count { lanes = [[PackedBatch]](repeating: [], count: plan.lanes.count) }
        for lane in lanes.indices {
            var place = 0
            func pack(
                _ stream: StreamPlan?, _ dataset: TokenizedDataset?, _ kind: TaskStream, _ features: FeatureStore?
            ) {
                guard let stream, let dataset else { return }
                for samples in stream.lanes[lane] {
                    if place == lanes[lane].count { lanes[lane].append(PackedBatch()) }
                    lanes[lane][place].fill(samples, of: dataset, step: plan.step, stream: kind)
                    if let features { lanes[lane][place].replaceTokens(with: features) }
                    place += 1
                }
            }
            pack(plan.target, dataset, .target, features)
            pack(plan.source, source, .source, nil)
            lanes[lane].removeLast(lanes[lane].count - place)
        }
        lossScale = plan.lossScale
        sourceScale = plan.sourceScale
        dropout = DropoutContext(
            model.shape, key: DropoutKey(seed: seed, step: plan.step), adapter: model.lora?.dropout ?? 0)
    }
}
