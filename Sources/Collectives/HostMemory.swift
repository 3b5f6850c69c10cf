package import Tensors

/// The memory of an exchange that one rank can reach: its own, and what the other ranks of its host keep.
///
/// A rank writes its own alone. Its block sums lie here from the start, so publishing them copies nothing.
package struct HostMemory: Sendable {
    /// What one rank keeps.
    package struct Region: Sendable {
        /// Block sums, each of the gradient's size, in the order of the rank's blocks.
        package let blocks: [FloatView]
        /// The finished sums of the ranges that the rank serves, one after another.
        package let results: FloatView
    }

    /// Regions by rank; nil for ranks of other hosts.
    package let regions: [Region?]
    /// Whether regions of several ranks lie in shared memory.
    package let isShared: Bool

    package init(regions: [Region?], isShared: Bool) {
        self.regions = regions
        self.isShared = isShared
    }

    /// Memory of `rank` alone, for a plan in which it is a host by itself.
    package init(of rank: Int, in plan: ExchangePlan) {
        precondition(plan.members[plan.hosts[rank]] == [rank], "rank \(rank) shares host \(plan.hosts[rank]): it needs shared memory")
        let count = plan.memoryElements(of: rank)
        let memory = FloatBuffer(count: count, whole: count).view
        regions = plan.lanes.indices.map { $0 == rank ? plan.region(of: rank, in: memory) : nil }
        isShared = false
    }
}

extension ExchangePlan {
    /// Distance of one block sum from the next: whole pages.
    private var slot: Int { (count + 1_023) / 1_024 * 1_024 }

    /// Elements that `rank` keeps: its block sums, then the results it serves.
    package func memoryElements(of rank: Int) -> Int {
        blocks(of: rank).count * slot + served(by: rank).reduce(0) { $0 + owned[$1.owner].count }
    }

    /// Divides `memory`, of ``memoryElements(of:)``.
    package func region(of rank: Int, in memory: FloatView) -> HostMemory.Region {
        let blocks = blocks(of: rank).count
        return HostMemory.Region(
            blocks: (0..<blocks).map { memory.part(from: $0 * slot, count: count) },
            results: memory[(blocks * slot)..<memoryElements(of: rank)])
    }
}
