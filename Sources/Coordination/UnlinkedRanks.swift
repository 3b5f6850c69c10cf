/// Which ranks to remove because data links between living ranks are missing.
///
/// A link may be dead in one direction or both, and each of its ends blames the other. The rank with most dead links is
/// removed first; among ties, one that has joined since links last worked, then the highest rank. This repeats until no
/// dead link is left. The coordinator has the last rank and is never removed.
struct UnlinkedRanks: Sendable, Equatable {
    /// The ends of a dead link.
    struct Link: Hashable, Sendable {
        let low: Int
        let high: Int

        init(_ one: Int, _ other: Int) { (low, high) = (min(one, other), max(one, other)) }

        var ends: [Int] { [low, high] }
    }

    private(set) var dead: Set<Link> = []

    init() {}

    init(_ missing: some Sequence<Int>, missedBy rank: Int) { add(missing, reportedBy: rank) }

    /// Notes that `rank` waited in vain for links with `missing`.
    mutating func add(_ missing: some Sequence<Int>, reportedBy rank: Int) {
        for other in missing where other != rank { dead.insert(Link(rank, other)) }
    }

    mutating func add(_ other: UnlinkedRanks) { dead.formUnion(other.dead) }

    /// The other ends of a rank's dead links, in ascending order.
    func missing(by rank: Int) -> [Int] {
        dead.filter { $0.ends.contains(rank) }.flatMap(\.ends).filter { $0 != rank }.sorted()
    }

    /// - Parameters:
    ///   - workers: how many there are; the coordinator's rank is this number.
    ///   - newcomers: ranks whose links have never been established.
    /// - Returns: in ascending order.
    func ranksToSendAway(workers: Int, newcomers: Set<Int>) -> [Int] {
        var (links, away) = (dead, [Int]())
        while true {
            let counts = links.lazy.flatMap(\.ends).filter { (0..<workers).contains($0) }.reduce(into: [Int: Int]()) {
                $0[$1, default: 0] += 1
            }
            func weight(_ rank: Int) -> (Int, Int, Int) { (counts[rank] ?? 0, newcomers.contains(rank) ? 1 : 0, rank) }
            guard let worst = counts.keys.max(by: { weight($0) < weight($1) }) else { return away.sorted() }
            away.append(worst)
            links = links.filter { !$0.ends.contains(worst) }
        }
    }
}
