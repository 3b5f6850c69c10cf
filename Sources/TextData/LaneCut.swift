/// Divides one global batch into lanes with similar token counts: a function of the samples' lengths and the lane
/// count.
package enum LaneCut {
    /// The positions in the batch of each lane's samples, ascending; some are empty if the batch has fewer samples than
    /// lanes.
    ///
    /// The longest sample goes first, into the lightest lane; ties go to the lower position and the lower lane.
    /// - Complexity: O(samples · (log samples + lanes)).
    package static func lanes(lengths: some Collection<Int32>, laneCount: Int) -> [[Int]] {
        precondition(laneCount > 0, "a batch cannot be cut into \(laneCount) lanes")
        let lengths = Array(lengths)
        let byLength = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
        var lanes = Array(repeating: [Int](), count: laneCount)
        var weights = Array(repeating: 0, count: laneCount)
        for position in byLength {
            var lightest = 0
            for lane in 1..<laneCount where weights[lane] < weights[lightest] { lightest = lane }
            lanes[lightest].append(position)
            weights[lightest] += Int(lengths[position])
        }
        return lanes.map { $0.sorted() }
    }
}
