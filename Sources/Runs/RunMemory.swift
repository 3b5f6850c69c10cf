internal import BERT
internal import Configuration
internal import Kernels
internal import Learning
internal import Processes
internal import TextData
internal import Wording

/// The part of a process in a run.
package enum RunRole: Sendable, Equatable {
    /// It computes every step.
    case alone
    /// Workers compute, started by somebody else.
    case coordinator
    /// This many workers compute, and have this process's limits.
    case coordinatorHere(workers: Int)
}

/// The address space that the processes of a run need for model, gradients, optimizer and activations.
struct RunMemory {
    private let configuration: TrainingConfiguration
    private let estimate: MemoryEstimate
    private let batch: MemoryEstimate.Batch
    private let data: RunData
    private let hasAdapters: Bool

    /// Refuses a run whose processes the system does not give enough address space.
    /// - Parameter model: with everything trained that ever will be.
    /// - Throws: ``InputError``.
    static func check(
        _ configuration: TrainingConfiguration, _ model: BERTModel, _ data: RunData, _ plan: TrainingPlan,
        _ role: RunRole
    ) throws(InputError) {
        guard AddressLimit() != nil else { return }
        try RunMemory(configuration, model, data, plan).provide(role)
    }

    private init(_ configuration: TrainingConfiguration, _ model: BERTModel, _ data: RunData, _ plan: TrainingPlan) {
        self.configuration = configuration
        self.data = data
        hasAdapters = model.lora != nil
        estimate = MemoryEstimate(
            model, threads: configuration.threads, computesApart: configuration.blas != .own)
        batch = MemoryEstimate.Batch(
            lengths: plan.lengths + (plan.source?.lengths ?? []), batchSize: plan.batchSize, lanes: plan.laneCount,
            hasSeveral: plan.accumulate > 1 || plan.source != nil)
    }

    private func provide(_ role: RunRole) throws(InputError) {
        let advice = "choose a smaller model"
        let threads = configuration.threads
        let what = "this run, whose weights have \(estimate.plainWeights / 1_000_000) MB,"
        switch role {
        case .alone:
            let need = SystemNeed.single(threads: threads)
            try AddressLimit.provide(alone + need.allAddresses, for: what, advice: advice)
        case .coordinator:
            let need = SystemNeed.coordinator(workers: 1, threads: threads)
            try AddressLimit.provide(coordinator + need.allAddresses, for: what, advice: advice)
        case .coordinatorHere(let workers):
            try provide(.coordinator)
            let need = SystemNeed.worker(peers: workers, threads: threads, library: configuration.blas != .own)
            try AddressLimit.provideLater(
                worker(of: workers) + need.allAddresses, for: "a worker of " + what, advice: advice)
        }
    }

    private var alone: Int {
        estimate.weights + estimate.moments + estimate.step(batch, recompute: configuration.recompute)
            + scoring([.validation, .sourceValidation, .test]) + atEnd
            + estimate.features(samples: data.datasets.values.reduce(0) { $0 + $1.count })
    }

    /// It holds the state twice: while the workers get it at first, and for each checkpoint.
    private var coordinator: Int {
        2 * (estimate.plainWeights + estimate.moments) + scoring([.test]) + atEnd
            + estimate.features(samples: data.datasets.values.reduce(0) { $0 + $1.count })
    }

    private func worker(of workers: Int) -> Int {
        estimate.weights + estimate.moments + estimate.step(batch, recompute: configuration.recompute)
            + scoring([.validation, .sourceValidation])
            + estimate.exchange(workers: workers, lanes: configuration.laneCount)
    }

    /// The best model is read from its file, and adapters are merged into a copy.
    private var atEnd: Int {
        let best = data.datasets[.validation] != nil && data.datasets[.test] != nil ? 2 : 0
        return (best + (hasAdapters ? 1 : 0)) * estimate.plainWeights
    }

    private func scoring(_ splits: [Split]) -> Int {
        splits.compactMap { data.datasets[$0] }.map { estimate.scoring(lengths: $0.lengths) }.max() ?? 0
    }
}
