/// How many fixed parts a global batch is cut into when nobody says.
package enum LaneCount {
    /// The largest power of two that neither exceeds the cores at hand nor half the batch size, at least 1.
    ///
    /// Never a function of how many workers or threads take part: those may change and the bits may not.
    package static func `default`(cores: Int, batchSize: Int) -> Int {
        var lanes = 1
        while lanes * 2 <= min(cores, batchSize / 2) { lanes *= 2 }
        return lanes
    }
}

extension TrainingConfiguration {
    /// The lanes given, or the default for `cores`: those of this machine, or of the whole cluster file.
    package func laneCount(cores: Int) -> Int { lanes ?? LaneCount.default(cores: cores, batchSize: batchSize) }
}
