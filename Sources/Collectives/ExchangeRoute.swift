internal import Reduction

/// What a plan means for one rank: the frames that it sends and receives, in order, and where sums are kept.
struct ExchangeRoute {
    /// The other ranks of this host.
    let neighbours: [Int]
    /// The frames that this rank adds.
    let own: OwnedFrames
    /// The owners on other hosts that this rank serves: it sends them partial sums and receives totals.
    let away: [(owner: Int, frames: OwnedFrames)]
    /// Where this host keeps the result, ascending and without gaps: the rank that serves a range, and the range's
    /// start in that rank's result memory.
    let results: [(range: Range<Int>, owner: Int, server: Int, start: Int)]

    init(_ plan: ExchangePlan, rank: Int) {
        let members = plan.members[plan.hosts[rank]]
        neighbours = members.filter { $0 != rank }
        var (frames, results): ([Int: OwnedFrames], [(range: Range<Int>, owner: Int, server: Int, start: Int)]) = (
            [:], []
        )
        for server in members {
            for served in plan.served(by: server) {
                results.append((served.range, served.owner, server, served.start))
                guard server == rank else { continue }
                for range in plan.frames(of: served.range) {
                    frames[served.owner, default: OwnedFrames()].add(
                        range, at: served.start + range.lowerBound - served.range.lowerBound, bucket: served.bucket)
                }
            }
        }
        own = frames.removeValue(forKey: rank) ?? OwnedFrames()
        away = frames.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.results = results.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
}

/// The frames of one owner's ranges, bucket after bucket.
struct OwnedFrames {
    private(set) var ranges: [Range<Int>] = []
    /// The start of each in the result memory of the rank that serves it.
    private(set) var starts: [Int] = []
    /// The bucket of each.
    private(set) var buckets: [Int] = []

    var count: Int { ranges.count }

    fileprivate mutating func add(_ range: Range<Int>, at start: Int, bucket: Int) {
        ranges.append(range)
        starts.append(start)
        buckets.append(bucket)
    }
}
