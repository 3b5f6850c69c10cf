import Testing

@testable import Coordination

@Suite struct UnlinkedRanksTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Who misses whom.
        let reports: [Int: [Int]]
        let workers: Int
        var newcomers: Set<Int> = []
        let away: [Int]
    }

    private static let cases = [
        Case(testDescription: "all links stand", reports: [:], workers: 3, away: []),
        Case(testDescription: "one dead link between two of three", reports: [0: [1], 1: [0]], workers: 3, away: [1]),
        Case(testDescription: "the same, reported by one end", reports: [1: [0]], workers: 3, away: [1]),
        Case(
            testDescription: "one dead link between two newcomers", reports: [0: [1], 1: [0]], workers: 2,
            newcomers: [0, 1], away: [1]),
        Case(
            testDescription: "the lower rank is a newcomer", reports: [0: [2], 2: [0]], workers: 3, newcomers: [0],
            away: [0]),
        Case(
            testDescription: "one that misses all others", reports: [0: [1, 2], 1: [0], 2: [0]], workers: 3, away: [0]),
        Case(
            testDescription: "a member that misses all, newcomers or not", reports: [0: [1, 2]], workers: 3,
            newcomers: [2], away: [0]),
        Case(testDescription: "one that the coordinator does not reach", reports: [3: [1]], workers: 3, away: [1]),
        Case(testDescription: "one that does not reach the coordinator", reports: [2: [3]], workers: 3, away: [2]),
        Case(testDescription: "two pairs", reports: [0: [1], 2: [3]], workers: 4, away: [1, 3]),
        Case(testDescription: "a chain is broken in its middle", reports: [0: [1], 1: [2]], workers: 3, away: [1]),
        Case(
            testDescription: "nobody reaches anybody", reports: [0: [1, 2], 1: [0, 2], 2: [0, 1]], workers: 3,
            away: [1, 2]),
    ]

    @Test(arguments: cases) func `the ranks that go are as few as need be`(given: Case) {
        var unlinked = UnlinkedRanks()
        for (rank, missing) in given.reports { unlinked.add(missing, reportedBy: rank) }
        #expect(unlinked.ranksToSendAway(workers: given.workers, newcomers: given.newcomers) == given.away)
    }

    @Test func `of any dead links none is left between those that stay`() {
        let pairs = (0..<4).flatMap { low in ((low + 1)...4).map { [low, $0] } }
        for mask in 0..<(1 << pairs.count) {
            var unlinked = UnlinkedRanks()
            let dead = pairs.indices.filter { mask & 1 << $0 != 0 }.map { pairs[$0] }
            for link in dead { unlinked.add([link[0]], reportedBy: link[1]) }
            let away = unlinked.ranksToSendAway(workers: 4, newcomers: [])
            #expect(dead.allSatisfy { link in link.contains { away.contains($0) } } && !away.contains(4), "\(dead)")
        }
    }
}
