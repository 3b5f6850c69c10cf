/// Which rank adds which part of a dense gradient, which ranks send it, and which receive the sum.
///
/// Each rank with lanes owns a range. On every host one rank serves it: it adds up the host's blocks, sends the owner
/// those partial sums, and keeps the finished sum where all ranks of the host can read it. The owner serves its own
/// host. Without shared memory each rank is a host by itself, and the plan is the direct reduce-scatter and all-gather.
/// Formulas: Collectives.docc.
package struct ExchangePlan: Sendable {
    /// Elements at which owned ranges may begin: the fixed blocks of norms and hashes.
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
    /// Range of the gradient that each rank owns; together they are all of it.
    package let owned: [Range<Int>]

    /// - Parameter hosts: any number per rank, equal for ranks that share memory.
    package init(
        laneCount: Int, lanes: [Range<Int>], hosts: [Int], count: Int, rowWidth: Int = 0, frameElements: Int = 1 << 15
    ) {
        precondition(lanes.count == hosts.count, "\(lanes.count) ranks with lanes, \(hosts.count) with hosts")
        precondition(frameElements > 0, "a frame of \(frameElements) elements")
        let contributors = lanes.indices.filter { !lanes[$0].isEmpty }
        precondition(lanes.reduce(0) { $0 + $1.count } == laneCount, "\(lanes) are not \(laneCount) lanes")
        let order = hosts.reduce(into: [Int]()) { if !$0.contains($1) { $0.append($1) } }
        let numbers = hosts.map { host in order.firstIndex(of: host) ?? 0 }
        let blocks = (count + Self.granularity - 1) / Self.granularity
        var owned = lanes.map { _ in 0..<0 }
        for (place, rank) in contributors.enumerated() {
            let first = min(place * blocks / contributors.count * Self.granularity, count)
            let end = min((place + 1) * blocks / contributors.count * Self.granularity, count)
            owned[rank] = first..<end
        }
        tree = ReductionTree(laneCount: laneCount)
        self.lanes = lanes
        self.hosts = numbers
        members = order.indices.map { host in numbers.indices.filter { numbers[$0] == host } }
        self.count = count
        self.rowWidth = rowWidth
        self.frameElements = frameElements
        self.owned = owned
    }

    package var worldSize: Int { lanes.count }

    /// The block sums that `rank` keeps, in the order of their lanes.
    package func blocks(of rank: Int) -> [ReductionTree.Block] {
        lanes[rank].isEmpty ? [] : tree.blocks(covering: lanes[rank])
    }

    /// The rank that serves `owner`'s range on `host`.
    package func server(of owner: Int, on host: Int) -> Int {
        hosts[owner] == host ? owner : members[host][owner % members[host].count]
    }

    /// The ranks whose ranges `rank` serves, ascending, and the start of each in its result memory.
    package func served(by rank: Int) -> [Served] {
        var start = 0
        return owned.indices.compactMap { owner in
            guard !owned[owner].isEmpty, server(of: owner, on: hosts[rank]) == rank else { return nil }
            defer { start += owned[owner].count }
            return Served(owner: owner, start: start)
        }
    }

    package struct Served: Sendable, Equatable {
        package let owner: Int
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
