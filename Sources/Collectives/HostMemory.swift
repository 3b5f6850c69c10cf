package import Reduction
package import Tensors

/// The memory of an exchange that one rank can reach: its own, and that of the other ranks of its host.
///
/// A rank writes only its own. Its block sums are computed here, so publishing them copies nothing.
package struct HostMemory: Sendable {
    /// The memory of one rank.
    package struct Region: Sendable {
        /// Block sums, each of the gradient's size, in the order of the rank's blocks.
        package let blocks: [FloatView]
        /// The finished sums of the ranges that the rank serves, bucket after bucket.
        package let results: FloatView
        /// The rows of a table that its lanes touch; nil if they are sent as messages.
        package let rows: SharedRows?
    }

    /// Regions by rank; nil for ranks of other hosts.
    package let regions: [Region?]
    /// Whether regions of several ranks are in shared memory.
    package let isShared: Bool

    package init(regions: [Region?], isShared: Bool) {
        self.regions = regions
        self.isShared = isShared
    }

    /// Private memory of `rank`, for a plan in which it is a host by itself.
    package init(of rank: Int, in plan: ExchangePlan) {
        precondition(
            plan.members[plan.hosts[rank]] == [rank],
            "rank \(rank) shares host \(plan.hosts[rank]): it needs shared memory")
        let count = plan.memoryElements(of: rank)
        let memory = FloatBuffer(count: count, whole: count).view
        regions = plan.lanes.indices.map { $0 == rank ? plan.region(of: rank, in: memory) : nil }
        isShared = false
    }
}

extension ExchangePlan {
    /// Distance of one block sum from the next: whole pages.
    private var slot: Int { (count + 1_023) / 1_024 * 1_024 }

    /// Whether touched rows are in shared memory, which requires that all ranks share memory.
    package var sharesRows: Bool { members.count == 1 && worldSize > 1 && rowWidth > 0 }

    private func rowElements(of rank: Int) -> Int {
        sharesRows ? SharedRows.elements(blocks: blocks(of: rank).count, width: rowWidth) : 0
    }

    /// Elements of `rank`'s memory: its block sums, its touched rows, then the results it serves.
    package func memoryElements(of rank: Int) -> Int {
        blocks(of: rank).count * slot + rowElements(of: rank)
            + (served(by: rank).last.map { $0.start + $0.range.count } ?? 0)
    }

    /// Divides `memory`, of ``memoryElements(of:)``.
    package func region(of rank: Int, in memory: FloatView) -> HostMemory.Region {
        let blocks = blocks(of: rank).count
        let rows = memory.part(from: blocks * slot, count: rowElements(of: rank))
        return HostMemory.Region(
            blocks: (0..<blocks).map { memory.part(from: $0 * slot, count: count) },
            results: memory[(blocks * slot + rows.count)..<memoryElements(of: rank)],
            rows: sharesRows ? SharedRows(rows, blocks: blocks, width: rowWidth) : nil)
    }
}
