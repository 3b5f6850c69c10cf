/// Which lanes each worker computes: contiguous, and as even as possible.
///
/// Any assignment gives the same bits. This one also keeps the number of sums to send low: with a power of two of lanes
/// and of workers each worker's lanes are one block of the tree.
package struct LaneAssignment: Sendable, Equatable {
    /// Lanes by rank; empty for standby workers.
    package let lanes: [Range<Int>]

    /// The first `laneCount mod workers` workers take one lane more; workers beyond `laneCount` are on standby.
    package init(laneCount: Int, workers: Int) {
        precondition(
            laneCount > 0 && workers > 0, "\(laneCount) lanes over \(workers) workers: there must be one of each")
        let (share, extra) = laneCount.quotientAndRemainder(dividingBy: workers)
        var next = 0
        lanes = (0..<workers).map { rank in
            let count = share + (rank < extra ? 1 : 0)
            defer { next += count }
            return next..<(next + count)
        }
    }
}
