internal import Synchronization
internal import TextData

/// The source task's own stream of global batches: as many per step as the target task has, over epochs that wrap
/// around.
package struct SourcePlan: Sendable {
    package let batchSize: Int
    /// Tokens of each sample.
    package let lengths: [Int32]
    package let weights: SampleWeights
    package let lambda: LambdaSchedule
    private let orders: Orders

    package init(seed: UInt64, batchSize: Int, lengths: [Int32], weights: SampleWeights, lambda: LambdaSchedule) {
        self.batchSize = batchSize
        self.lengths = lengths
        self.weights = weights
        self.lambda = lambda
        orders = Orders {
            EpochPlan(seed: seed, epoch: $0, sampleCount: lengths.count, batchSize: batchSize, stream: 1)
        }
    }

    package var batchesPerEpoch: Int { (lengths.count + batchSize - 1) / batchSize }

    /// The epoch of the source data, from 1, of a global batch, counted from 0 through the whole run.
    package func epoch(ofBatch batch: Int) -> Int { batch / batchesPerEpoch + 1 }

    /// The samples of a global batch, counted from 0 through the whole run.
    package func members(ofBatch batch: Int) -> [Int32] {
        Array(orders[epoch(ofBatch: batch)].batch(batch % batchesPerEpoch))
    }

    /// The orders of the newest epochs, each shuffled once.
    private final class Orders: Sendable {
        private let make: @Sendable (Int) -> EpochPlan
        private let kept = Mutex<[Int: EpochPlan]>([:])

        init(_ make: @escaping @Sendable (Int) -> EpochPlan) { self.make = make }

        subscript(epoch: Int) -> EpochPlan {
            kept.withLock { kept in
                if let order = kept[epoch] { return order }
                let order = make(epoch)
                kept = kept.filter { $0.key == epoch - 1 }
                kept[epoch] = order
                return order
            }
        }
    }
}
