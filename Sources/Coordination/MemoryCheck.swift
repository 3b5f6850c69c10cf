internal import BERT
internal import Kernels
internal import Learning
internal import Processes
internal import Wording

/// Whether the system gives a worker the address space for a run, asked before it takes the run up.
enum MemoryCheck {
    /// Stack and scratch memory of a computing thread; the other threads have theirs already.
    private static let threadBytes = 16 << 20
    private static let margin = 40 << 20

    /// - Throws: ``InputError``.
    static func run(_ model: BERTModel, _ formation: Formation, threads: Int) throws(InputError) {
        guard AddressLimit() != nil else { return }
        let estimate = MemoryEstimate(model, threads: threads, computesApart: BLAS.current != .own)
        let lanes = formation.run.laneCount
        let onHost = formation.hosts.count { $0 == formation.hosts[formation.rank] }
        // The samples are not known yet; a launched worker's coordinator, which knows them, has counted them.
        let least = MemoryEstimate.Batch(lengths: [128], batchSize: 1, lanes: lanes, hasSeveral: false)
        let step = estimate.step(least, recompute: formation.run.recompute)
        let need =
            estimate.weights + estimate.moments + step + estimate.exchange(workers: onHost, lanes: lanes)
            + threads * threadBytes + margin
        try AddressLimit.provide(
            need, for: "a worker of this run, whose weights have \(estimate.plainWeights / 1_000_000) MB,",
            advice: "choose a smaller model")
    }
}
