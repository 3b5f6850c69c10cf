/// The default number of lanes of a global batch.
package enum LaneCount {
    /// Lanes of a sufficiently large batch.
    package static let usual = 8
    /// Least number of samples per lane, so that its products are not mostly overhead.
    private static let fewestSamples = 2

    /// The largest power of two up to ``usual`` that leaves two samples for each lane, at least 1.
    ///
    /// A function of only the batch size: the bits of a run are the same on every machine and for any workers.
    package static func `default`(batchSize: Int) -> Int {
        var lanes = 1
        while lanes * 2 <= min(usual, batchSize / fewestSamples) { lanes *= 2 }
        return lanes
    }
}

extension TrainingConfiguration {
    /// The given lane count, or the default.
    package var laneCount: Int { lanes ?? LaneCount.default(batchSize: batchSize) }
}
