import Testing

@testable import Reduction

@Suite struct ExchangePlanTests {
    /// Host numbers to try for `workers` ranks: each alone, all together, pairs, and alternating.
    static func hostings(_ workers: Int) -> [[Int]] {
        [Array(0..<workers), (0..<workers).map { _ in 0 }, (0..<workers).map { $0 / 2 }, (0..<workers).map { $0 % 2 }]
    }

    @Test func everyOwnerAddsInTheCanonicalOrderWhateverTheHostsAndEmptyLanes() {
        for laneCount in 1...6 {
            for workers in 1...min(4, laneCount) {
                for lanes in divisions(laneCount, into: workers) {
                    for hosts in Self.hostings(workers) {
                        let plan = ExchangePlan(laneCount: laneCount, lanes: lanes, hosts: hosts, count: 10_000)
                        for mask in 0..<(1 << laneCount) {
                            let empty = Set((0..<laneCount).filter { mask >> $0 & 1 == 1 })
                            check(plan, empty)
                        }
                    }
                }
            }
        }
    }

    private func check(_ plan: ExchangePlan, _ empty: Set<Int>) {
        let sums = plan.sums(emptyLanes: empty)
        let expected = canonical(0..<plan.tree.laneCount, empty: empty)
        for host in plan.members.indices {
            let foreign = sums.hosts.indices.filter { $0 != host }.flatMap { other in
                sums.hosts[other].roots.map {
                    run(SumProgram($0.sum), sums.hosts[other].held.map { inner($0.block, plan, empty) })
                }
            }
            let leaves = sums.hosts[host].held.map { inner($0.block, plan, empty) } + foreign
            #expect(plan.total(sums, on: host).map { run(SumProgram($0), leaves) } == expected)
        }
    }

    private func inner(_ block: ReductionTree.Block, _ plan: ExchangePlan, _ empty: Set<Int>) -> String {
        func sum(_ lanes: Range<Int>) -> String? {
            if lanes.count == 1 { return empty.contains(lanes.lowerBound) ? nil : "\(lanes.lowerBound)" }
            let middle = plan.tree.middle(of: lanes)
            guard let left = sum(lanes.lowerBound..<middle) else { return sum(middle..<lanes.upperBound) }
            return sum(middle..<lanes.upperBound).map { "(\(left)+\($0))" } ?? left
        }
        return sum(block.lanes) ?? "nothing"
    }

    @Test func ownedRangesMakeUpTheGradientAndBeginAtFixedBlocks() {
        for workers in 1...8 {
            for count in [0, 1, 4_095, 4_096, 4_097, 50_000, 1_000_000] {
                let plan = ExchangePlan(
                    laneCount: 8, lanes: LaneAssignment(laneCount: 8, workers: workers).lanes,
                    hosts: Array(0..<workers), count: count)
                #expect(plan.owned.count == 1 || count == 1_000_000)
                let owned = plan.owned.reversed().flatMap {
                    $0.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
                }
                #expect(owned.flatMap { Array($0) }.elementsEqual(0..<count))
                #expect(owned.allSatisfy { $0.lowerBound % 4_096 == 0 })
                let sizes = (0..<workers).map { rank in plan.owned.reduce(0) { $0 + $1[rank].count } }
                #expect(sizes.max()! - sizes.min()! <= 2 * 4_096)
            }
        }
    }

    @Test func ranksThatStandByOwnNothing() {
        let assignment = LaneAssignment(laneCount: 2, workers: 5)
        #expect(assignment.lanes == [0..<1, 1..<2, 2..<2, 2..<2, 2..<2])
        let plan = ExchangePlan(laneCount: 2, lanes: assignment.lanes, hosts: [0, 1, 2, 3, 4], count: 100_000)
        #expect(plan.owned.allSatisfy { $0[2...].allSatisfy { $0.isEmpty } })
    }

    @Test func lanesAreAssignedAsEvenlyAsTheyDivide() {
        for laneCount in 1...16 {
            for workers in 1...8 {
                let lanes = LaneAssignment(laneCount: laneCount, workers: workers).lanes
                #expect(lanes.flatMap { Array($0) } == Array(0..<laneCount))
                #expect(lanes.map(\.count).max()! - lanes.map(\.count).min()! <= 1)
            }
        }
    }

    @Test func oneBlockARankMovesTheBytesOfARing() {
        for ranks in [1, 2, 4, 8] {
            let count = 4_096 * 8 * 5
            let plan = ExchangePlan(
                laneCount: 8, lanes: LaneAssignment(laneCount: 8, workers: ranks).lanes, hosts: Array(0..<ranks),
                count: count)
            for rank in 0..<ranks {
                #expect(plan.bytesSent(by: rank, plan.sums()) == 2 * (ranks - 1) * count * 4 / ranks)
            }
        }
    }
}
