internal import Synchronization

/// The samples of an evaluation that are scored so far. Any thread may add to it, or look.
package final class ScoredSamples: Sendable {
    private let counted = Atomic(0)
    private let total = Atomic(0)

    package init() {}

    /// An evaluation begins; one that is repeated starts again at 0.
    package func begin(of samples: Int) {
        total.store(samples, ordering: .relaxed)
        counted.store(0, ordering: .relaxed)
    }

    /// Counts samples that are scored.
    package func add(_ samples: Int) { counted.add(samples, ordering: .relaxed) }

    /// From 0 to 1.
    package var share: Double {
        let (counted, total) = (counted.load(ordering: .relaxed), total.load(ordering: .relaxed))
        return total > 0 ? min(1, Double(counted) / Double(total)) : 0
    }
}
