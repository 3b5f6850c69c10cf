/// Which rank adds which part of a dense gradient, which ranks send it, and which receive the sum.
///
/// The gradient is exchanged in buckets, and each rank with lanes owns a range of each. On every host one rank serves
/// an owner: it adds up the host's blocks, sends the owner those partial sums, and keeps the finished sum where all
/// ranks of the host can read it. The owner serves its own host. Without shared memory each rank is a host by itself,
/// and the plan is the direct reduce-scatter and all-gather. Formulas: Collectives.docc.
package struct ExchangePlan: Sendable {
    /// Elements at which buckets and owned ranges may begin: the fixed blocks of norms and hashes.
    package static let granularity = 4_096

    package let tree: ReductionTree
    /// Lanes by rank; empty for a standby rank.
    package let lanes: [Range<Int>]
    /// Host by rank, numbered from 0. Ranks of one host share memory.
    package let hosts: [Int]
    /// Ranks by host, ascending.
    package let members: [[Int]]
    /// Elements of the gradient.
    package let count: Int
    /// Elements of a row of the table that is exchanged by touched rows; 0 where there is none.
    package let rowWidth: Int
    /// Most elements of one frame.
    package let frameElements: Int
    /// How the gradient is cut into buckets.
    package let cut: BucketCut
    /// Ranges that together are the gradient, in the order in which they are exchanged; one where all ranks share
    /// memory.
    package let buckets: [Range<Int>]
    /// The range that each rank owns, by bucket and rank; together they are the gradient.
    package let owned: [[Range<Int>]]

    /// - Parameter hosts: any number per rank, equal for ranks that share memory.
    package init(
        laneCount: Int, lanes: [Range<Int>], hosts: [Int], count: Int, rowWidth: Int = 0, frameElements: Int = 1 << 15,
        cut: BucketCut = BucketCut()
    ) {
        precondition(lanes.count == hosts.count, "\(lanes.count) ranks with lanes, \(hosts.count) with hosts")
        precondition(frameElements > 0, "a frame of \(frameElements) elements")
        let contributors = lanes.indices.filter { !lanes[$0].isEmpty }
        precondition(lanes.reduce(0) { $0 + $1.count } == laneCount, "\(lanes) are not \(laneCount) lanes")
        let order = hosts.reduce(into: [Int]()) { if !$0.contains($1) { $0.append($1) } }
        let numbers = hosts.map { host in order.firstIndex(of: host) ?? 0 }
        // A frame for each owner at least: buckets make no frame shorter.
        buckets =
            order.count == 1
            ? [0..<count] : cut.buckets(of: count, atLeast: contributors.count * frameElements)
        owned = buckets.enumerated().map { number, bucket in
            var owned = lanes.map { _ in 0..<0 }
            let blocks = (bucket.count + Self.granularity - 1) / Self.granularity
            for place in contributors.indices {
                let first = place * blocks / contributors.count * Self.granularity
                let end = min((place + 1) * blocks / contributors.count * Self.granularity, bucket.count)
                // Another owner gets the short part of each bucket.
                owned[contributors[(place + number) % contributors.count]] =
                    (bucket.lowerBound + min(first, end))..<(bucket.lowerBound + end)
            }
            return owned
        }
        tree = ReductionTree(laneCount: laneCount)
        self.lanes = lanes
        self.hosts = numbers
        members = order.indices.map { host in numbers.indices.filter { numbers[$0] == host } }
        self.count = count
        self.rowWidth = rowWidth
        self.frameElements = frameElements
        self.cut = cut
    }

    /// The same exchange by other hosts.
    package func dividing(into hosts: [Int]) -> ExchangePlan {
        ExchangePlan(
            laneCount: tree.laneCount, lanes: lanes, hosts: hosts, count: count, rowWidth: rowWidth,
            frameElements: frameElements, cut: cut)
    }

    package var worldSize: Int { lanes.count }

    /// The block sums that `rank` keeps, in the order of their lanes.
    package func blocks(of rank: Int) -> [ReductionTree.Block] {
        lanes[rank].isEmpty ? [] : tree.blocks(covering: lanes[rank])
    }

    /// The rank that serves `owner`'s ranges on `host`.
    package func server(of owner: Int, on host: Int) -> Int {
        hosts[owner] == host ? owner : members[host][owner % members[host].count]
    }

    /// The ranges that `rank` serves, bucket after bucket, and the start of each in its result memory.
    package func served(by rank: Int) -> [Served] {
        var start = 0
        return buckets.indices.flatMap { bucket in
            owned[bucket].indices.compactMap { owner in
                let range = owned[bucket][owner]
                guard !range.isEmpty, server(of: owner, on: hosts[rank]) == rank else { return nil }
                // Each begins at a cache line.
                defer { start += (range.count + Self.granularity - 1) / Self.granularity * Self.granularity }
                return Served(bucket: bucket, owner: owner, range: range, start: start)
            }
        }
    }

    /// A range of the gradient that a rank adds up over its host, for the range's owner.
    package struct Served: Sendable, Equatable {
        package let bucket: Int
        package let owner: Int
        package let range: Range<Int>
        /// First element in the server's result memory.
        package let start: Int
    }

    /// The frames that carry `range`, one after another.
    package func frames(of range: Range<Int>) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: frameElements).map {
            $0..<min($0 + frameElements, range.upperBound)
        }
    }
}
