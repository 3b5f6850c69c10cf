internal import Reduction

/// The encoding of the workers' lanes: first lane and count by rank.
enum LaneShares {
    static func of(laneCount: Int, workers: Int) -> [[Int]] {
        LaneAssignment(laneCount: laneCount, workers: workers).lanes.map { [$0.lowerBound, $0.count] }
    }
}
