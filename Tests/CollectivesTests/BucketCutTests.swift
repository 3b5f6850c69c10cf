import Testing

@testable import Reduction

@Suite struct BucketCutTests {
    private static func plan(
        workers: Int, count: Int, hosts: [Int]? = nil, _ cut: BucketCut = BucketCut()
    ) -> ExchangePlan {
        ExchangePlan(
            laneCount: max(8, workers), lanes: LaneAssignment(laneCount: max(8, workers), workers: workers).lanes,
            hosts: hosts ?? Array(0..<workers), count: count, cut: cut)
    }

    @Test(arguments: [2, 3, 8], [4_096, 5_000, 1 << 16, 1 << 30])
    func `buckets make up the gradient, from its end to its beginning, at fixed blocks`(workers: Int, size: Int) {
        for count in [0, 1, 4_095, 4_096, 4_097, 50_000, 1_000_001] {
            let plan = Self.plan(workers: workers, count: count, BucketCut(size: size))
            #expect(plan.buckets.reversed().flatMap { Array($0) }.elementsEqual(0..<count))
            #expect(plan.buckets.allSatisfy { $0.lowerBound % 4_096 == 0 })
            #expect((plan.buckets.count == 1) == (count <= (size + 4_095) / 4_096 * 4_096))
            for (bucket, owned) in zip(plan.buckets, plan.owned) {
                let ranges = owned.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
                #expect(ranges.flatMap { Array($0) }.elementsEqual(bucket))
                #expect(ranges.allSatisfy { $0.lowerBound % 4_096 == 0 })
            }
        }
    }

    @Test(arguments: [2, 3, 7]) func `no owner has much more than another, however small the buckets are`(workers: Int)
    {
        for size in [4_096, 3 * 4_096, 1 << 16] {
            let plan = Self.plan(workers: workers, count: 4_096 * 210, BucketCut(size: size))
            let sums = (0..<workers).map { rank in plan.owned.reduce(0) { $0 + $1[rank].count } }
            #expect(sums.max()! - sums.min()! <= 2 * 4_096, "\(sums)")
        }
    }

    @Test func `what is complete at the very end is exchanged last`() {
        let plan = Self.plan(workers: 2, count: 100_000, BucketCut(size: 8_192, late: 40_000))
        let first = plan.buckets.firstIndex { $0.lowerBound >= 36_864 }
        #expect(first == plan.buckets.firstIndex { $0.contains(99_999) })
        #expect(plan.buckets.first == 32_768..<36_864)
        #expect(plan.buckets[4] == 0..<8_192)
        #expect(plan.buckets[5...].allSatisfy { $0.lowerBound >= 36_864 })
        #expect(plan.buckets.flatMap { Array($0) }.sorted().elementsEqual(0..<100_000))
        // A table that begins below the first block, and one that is frozen.
        #expect(Self.plan(workers: 2, count: 100_000, BucketCut(size: 8_192, late: 100)).buckets.count == 13)
        #expect(Self.plan(workers: 2, count: 100_000, BucketCut(size: 8_192, late: 100_000)).buckets.count == 13)
    }

    @Test func `there is one bucket where nothing leaves the host, and for a small gradient`() {
        for (workers, hosts) in [(1, [0]), (4, [0, 0, 0, 0])] {
            let plan = Self.plan(workers: workers, count: 10_000_000, hosts: hosts, BucketCut(size: 4_096))
            #expect(plan.buckets == [0..<10_000_000])
        }
        #expect(Self.plan(workers: 2, count: 1 << 18).buckets == [0..<(1 << 18)])
        #expect(Self.plan(workers: 2, count: 1 << 18 + 1).buckets.count == 2)
        #expect(Self.plan(workers: 2, count: 10_000_000).buckets.count == 39)
    }

    /// More owners have larger buckets instead of shorter frames.
    @Test(arguments: [2, 8, 32, 128]) func `usual buckets have a whole frame for each owner`(workers: Int) {
        let plan = Self.plan(workers: workers, count: 50_000_000)
        for (bucket, owned) in zip(plan.buckets, plan.owned) where bucket.count == plan.buckets.last?.count {
            #expect(owned.allSatisfy { $0.count >= plan.frameElements })
        }
    }

    /// Each rank that serves has room for what it serves, and every part of the sum is at one place of each host.
    @Test(arguments: [[0, 1], [0, 0, 1], [0, 1, 0, 1, 2]]) func `served ranges do not overlap in memory`(hosts: [Int]) {
        let plan = Self.plan(workers: hosts.count, count: 50_001, hosts: hosts, BucketCut(size: 8_192))
        for members in plan.members {
            var parts: [Range<Int>] = []
            for rank in members {
                var end = 0
                for served in plan.served(by: rank) {
                    #expect(served.start >= end && served.start % 16 == 0)
                    end = served.start + served.range.count
                    parts.append(served.range)
                }
            }
            parts.sort { $0.lowerBound < $1.lowerBound }
            #expect(parts.flatMap { Array($0) }.elementsEqual(0..<50_001))
        }
    }
}
