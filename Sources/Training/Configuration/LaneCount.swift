/// How many fixed parts a global batch is cut into when nobody says.
package enum LaneCount {
    /// Lanes of a batch that is large enough for them.
    package static let usual = 8
    /// Samples that a lane has at least, so that its products are not all overhead.
    private static let fewestSamples = 2

    /// The largest power of two up to ``usual`` that leaves two samples for each lane, at least 1.
    ///
    /// A function of the batch size alone: the bits of a run are the same on every machine, whoever takes part.
    package static func `default`(batchSize: Int) -> Int {
        var lanes = 1
        while lanes * 2 <= min(usual, batchSize / fewestSamples) { lanes *= 2 }
        return lanes
    }
}

extension TrainingConfiguration {
    /// The lanes given, or the default.
    package var laneCount: Int { lanes ?? LaneCount.default(batchSize: batchSize) }
}
