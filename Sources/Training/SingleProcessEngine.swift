package import BERT
internal import Kernels
internal import Tensors
package import TextData

/// All lanes in this process, on its threads.
package final class SingleProcessEngine: StepEngine {
    private let replica: Replica
    private let runner: LaneRunner
    private let datasets: [Split: TokenizedDataset]
    private let optimizer: OptimizerSettings
    private let seed: UInt64
    private let debug: Bool

    package init(
        replica: Replica, laneCount: Int, datasets: [Split: TokenizedDataset], optimizer: OptimizerSettings, seed: UInt64, debug: Bool
    ) {
        self.replica = replica
        runner = LaneRunner(model: replica.model, laneCount: laneCount, threads: replica.threads)
        self.datasets = datasets
        self.optimizer = optimizer
        self.seed = seed
        self.debug = debug
    }

    package var workers: Int { 1 }
    package var threads: Int { replica.threads }

    package func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        try step(plan, learningRate: learningRate)
    }

    package func evaluate(_ split: Split) async throws -> EvaluationReport {
        guard let dataset = datasets[split] else { throw RunError("there is no \(split.rawValue) data to evaluate") }
        return Evaluation.run(dataset, runner: runner, parameters: replica.parameters.view)
    }

    package func state() async throws -> TrainingState {
        TrainingState(parameters: replica.parameters, first: replica.first, second: replica.second, touched: replica.touched)
    }

    /// Lanes, sum, norm, update. To look at a training step in a debugger, set the breakpoint here.
    private func step(_ plan: StepPlan, learningRate: Double) throws(NonFiniteStep) -> StepReport {
        guard let dataset = datasets[.train] else { preconditionFailure("a step needs training data") }
        let work = LaneWork(plan, of: dataset, model: replica.model, seed: seed)
        let watch = debug ? NonFiniteWatch() : nil
        let results = runner.run(work, parameters: replica.parameters.view, observe: watch?.observer)
        let total = results.blocks[0]
        defer { runner.pool.give(back: total.dense) }
        let gradient = StepGradient(total)
        let norm = replica.norm(of: gradient)
        if !norm.isFinite || results.losses.contains(where: { !$0.isFinite }) {
            throw nonFinite(plan, work, results.losses, origin: watch?.found)
        }
        let scale = optimizer.clippingFactor(norm: norm)
        replica.apply(gradient, optimizer.update(step: plan.step, learningRate: learningRate, gradientScale: scale))
        return StepReport(lossSum: results.losses.reduce(0, +), gradientNorm: norm)
    }

    /// The first lane whose loss or gradient is not finite, found by computing each lane again by itself.
    private func nonFinite(_ plan: StepPlan, _ work: LaneWork, _ losses: [Double], origin: String?) -> NonFiniteStep {
        let lane =
            losses.firstIndex { !$0.isFinite } ?? work.lanes.indices.first { lane in
                var alone = work
                alone.lanes = work.lanes.enumerated().map { $0 == lane ? $1 : [] }
                let result = runner.run(alone, parameters: replica.parameters.view).blocks[0]
                defer { runner.pool.give(back: result.dense) }
                return !replica.norm(of: StepGradient(result)).isFinite
            } ?? 0
        return NonFiniteStep(
            step: plan.step, lane: lane, samples: plan.lanes[lane].flatMap { $0.map { Int($0.sample) } }.sorted(), origin: origin)
    }
}

extension LaneWork {
    /// All lanes of a step.
    package init(_ plan: StepPlan, of dataset: TokenizedDataset, model: BERTModel, seed: UInt64) {
        self.init(
            firstLane: 0, lanes: plan.lanes.map { $0.map { PackedBatch($0, of: dataset) } }, lossScale: Float(1 / Double(plan.sampleCount)),
            dropout: DropoutContext(model.shape, key: DropoutKey(seed: seed, step: plan.step)))
    }
}
