extension ExchangePlan {
    /// A block sum in the memory of `rank`.
    package struct HeldBlock: Sendable, Equatable {
        package let rank: Int
        /// Index among the blocks of that rank.
        package let place: Int
        package let block: ReductionTree.Block
    }

    /// The additions within one host.
    package struct HostSums: Sendable {
        /// The host's block sums that are not empty; leaves of `roots`.
        package let held: [HeldBlock]
        package let roots: [ReductionTree.Root]
    }

    /// The additions of one step: which lanes are empty may change from step to step.
    package struct Sums: Sendable {
        /// By host.
        package let hosts: [HostSums]
    }

    /// - Parameter emptyLanes: lanes without samples; must be the same on every rank.
    package func sums(emptyLanes: Set<Int> = []) -> Sums {
        Sums(
            hosts: members.map { ranks in
                let held = ranks.flatMap { rank in
                    blocks(of: rank).enumerated().compactMap { place, block in
                        block.lanes.allSatisfy(emptyLanes.contains)
                            ? nil : HeldBlock(rank: rank, place: place, block: block)
                    }
                }
                return HostSums(held: held, roots: tree.roots(of: held.map(\.block), empty: emptyLanes.contains))
            })
    }

    /// The sum that an owner on `host` computes: of its own host's blocks, then of the roots of the other hosts in
    /// order.
    /// - Returns: nil if every lane is empty.
    package func total(_ sums: Sums, on host: Int) -> PartialSum? {
        let foreign = sums.hosts.indices.filter { $0 != host }.flatMap { sums.hosts[$0].roots.map(\.block) }
        let blocks = sums.hosts[host].held.map(\.block) + foreign
        let lanesHeld = Set(blocks.flatMap(\.lanes))
        return tree.roots(of: blocks, empty: { !lanesHeld.contains($0) }).first?.sum
    }

    /// Payload bytes that `rank` sends in one exchange.
    ///
    /// As server: its host's roots over the ranges it serves for other hosts. As owner: its ranges to each other host.
    package func bytesSent(by rank: Int, _ sums: Sums) -> Int {
        let roots = sums.hosts[hosts[rank]].roots.count
        let away = served(by: rank).filter { hosts[$0.owner] != hosts[rank] }.reduce(0) { $0 + $1.range.count }
        let own = owned.reduce(0) { $0 + $1[rank].count }
        return (roots * away + own * (members.count - 1)) * MemoryLayout<Float>.stride
    }
}
