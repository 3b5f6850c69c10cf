/// Which samples make up each global batch of one epoch: a function of only seed, epoch and counts.
///
/// Each sample occurs exactly once; the last batch may be short.
package struct EpochPlan: Equatable, Sendable {
    package let batchSize: Int
    /// All samples in the order of the epoch.
    package let order: [Int32]

    /// Fisher-Yates shuffle of the samples; each draw has its own counter.
    ///
    /// - Parameter stream: 0 for the target task, 1 for the source task.
    /// - Complexity: O(`sampleCount`).
    package init(seed: UInt64, epoch: Int, sampleCount: Int, batchSize: Int, stream: UInt32 = 0) {
        precondition(batchSize > 0, "a batch of \(batchSize) samples cannot be planned")
        precondition((0...Int(Int32.max)).contains(sampleCount), "\(sampleCount) samples cannot be planned")
        let random = Philox(key: seed)
        var order = (0..<Int32(sampleCount)).map { $0 }
        var last = sampleCount - 1
        while last > 0 {
            let bits = random([UInt32(last), UInt32(truncatingIfNeeded: epoch), stream, Self.purpose])
            let draw = UInt64(bits[1]) << 32 | UInt64(bits[0])
            order.swapAt(last, Int(draw.multipliedFullWidth(by: UInt64(last + 1)).high))
            last -= 1
        }
        self.order = order
        self.batchSize = batchSize
    }

    package var batchCount: Int { (order.count + batchSize - 1) / batchSize }

    /// The samples of one global batch.
    package func batch(_ index: Int) -> ArraySlice<Int32> {
        precondition((0..<batchCount).contains(index), "batch \(index) of \(batchCount)")
        return order[index * batchSize..<min((index + 1) * batchSize, order.count)]
    }

    /// Separates these draws from other uses of the same seed.
    private static let purpose: UInt32 = 0x504C_414E
}
