package import Reduction
package import Tensors

/// Adds gradients that are kept as touched rows, in the order of the reduction tree, for one generation.
///
/// If all ranks share memory, each writes its rows there and adds the rows of all ranks itself. Otherwise row r belongs
/// to the (r mod C)th of the C ranks with lanes: frequent rows have close numbers, so this balances the work. Owners
/// receive their rows of every block, add them, and send the sums to all ranks. A row that only some blocks touch is
/// added over those alone: the bits equal those of a dense sum without the other blocks.
package final class RowExchange {
    private let plan: ExchangePlan
    private let links: ExchangeLinks
    private let contributors: [Int]
    /// The sum over all blocks of the contributors, in the order of lanes; nil if there are none.
    private let sum: PartialSum?
    /// Shared rows by rank; none if rows are sent as messages.
    private let shared: [SharedRows?]
    private var isPublished = false
    private let pool = SparseRowPool()
    /// What the last exchange returned: its memory is reused.
    private var last: SparseRows?
    /// Memory for the numbers of shared rows, by rank and block.
    private var numbers: [[[Int32]]]

    /// - Parameter memory: shared by the ranks of one host; nil to send rows as messages.
    package init(plan: ExchangePlan, links: ExchangeLinks, memory: HostMemory? = nil) {
        self.plan = plan
        self.links = links
        contributors = plan.lanes.indices.filter { !plan.lanes[$0].isEmpty }
        sum = plan.tree.roots(of: contributors.flatMap(plan.blocks), empty: { _ in false }).first?.sum
        shared = plan.lanes.indices.map { rank in memory.flatMap { $0.regions[rank]?.rows } }
        numbers = plan.lanes.map { _ in [] }
    }

    /// Writes this rank's rows to where the other ranks read them, if they share memory.
    ///
    /// Every rank calls it, or none; before the next ``run(_:width:rows:step:bucket:deadline:)`` an ``AllReduce`` of
    /// all ranks happens in between, whose signals tell that all have written. No rank is still in an earlier exchange.
    package func publish(_ blocks: [SparseRows?]) {
        guard let own = shared[links.rank] else { return }
        own.write(blocks)
        isPublished = true
    }

    /// The rows of the sum over all lanes, on every rank.
    ///
    /// - Parameters:
    ///   - blocks: this rank's block sums in the order of its blocks; nil if no lane of a block touches a row.
    ///   - width: elements of a row, the same on every rank.
    ///   - rows: of the table, the same on every rank.
    ///   - step: with `bucket` unique in this generation.
    /// - Throws: ``ExchangeError``. The generation is over; `blocks` are unchanged.
    /// - Complexity: nothing is sent if rows were published; otherwise 2 hops, and one more each way for every frame
    ///   after the first; bytes as in Collectives.docc.
    package func run(
        _ blocks: [SparseRows?], width: Int, rows: Int, step: UInt64, bucket: UInt32, deadline: ContinuousClock.Instant
    ) throws(ExchangeError) -> SparseRows {
        let id = ExchangeID(step: step, bucket: bucket)
        let own = plan.blocks(of: links.rank).count
        precondition(blocks.count == own, "\(blocks.count) sums of rows for \(own) blocks")
        pool.give(back: last.take())
        if isPublished {
            isPublished = false
            if let total = try sharedTotal(width, rows) { return keep(total) }
        }
        let flow = RowFlow(
            links: links, id: id, width: width, tableRows: rows, frameElements: plan.frameElements, deadline: deadline)

        // Rows to their owners.
        let isOwner = contributors.contains(links.rank)
        var toOwners: [Int: [RowSlice]] = [:]
        if isOwner {
            for (place, owner) in contributors.enumerated() {
                toOwners[owner] = blocks.enumerated().compactMap { block, rows in
                    rows.map { RowSlice(block: block, rows: $0, places: places($0, ownedBy: place)) }
                }
            }
        }
        let mine = toOwners.removeValue(forKey: links.rank) ?? []
        let others = contributors.filter { $0 != links.rank }
        let parts = try flow.exchange(
            toOwners, from: isOwner ? others : [], more: .rows, last: .lastRows,
            blocks: { self.plan.blocks(of: $0).count })

        // Sums to everyone.
        var totals: [SparseRows] = []
        var fromOwner: [Int: [RowSlice]] = [:]
        if isOwner {
            var leaves: [SparseRows?] = []
            for rank in contributors {
                if rank == links.rank {
                    leaves += (0..<own).map { block in mine.first { $0.block == block }?.copy }
                } else {
                    leaves += parts[rank] ?? []
                }
            }
            let total = add(leaves.map { $0?.list }, width)
            let whole = RowSlice(block: 0, rows: total, places: Array(total.ids.indices))
            for peer in 0..<links.worldSize where peer != links.rank { fromOwner[peer] = [whole] }
            totals.append(total)
        }
        let received = try flow.exchange(
            fromOwner, from: others, more: .totalRows, last: .lastTotalRows, blocks: { _ in 1 })
        totals += others.compactMap { received[$0]?[0] }
        return keep(SparseRows.interleaved(totals, width: width))
    }

    private func keep(_ total: SparseRows) -> SparseRows {
        last = total
        return total
    }

    /// The sum of what all ranks published; nil if the rows of one of them did not fit, which all ranks detect.
    private func sharedTotal(_ width: Int, _ tableRows: Int) throws(ExchangeError) -> SparseRows? {
        var leaves: [RowList?] = []
        var foreign = 0
        for rank in contributors {
            guard let place = shared[rank] else {
                preconditionFailure("rank \(rank) shares no rows with rank \(links.rank)")
            }
            guard let lists = try place.read(of: rank, tableRows: tableRows, into: &numbers[rank]) else { return nil }
            leaves += lists
            if rank != links.rank { foreign += lists.reduce(0) { $0 + ($1?.ids.count ?? 0) } }
        }
        links.countShared(foreign * (1 + width) * MemoryLayout<Float>.stride)
        return add(leaves, width)
    }

    /// Payload bytes that this rank sends in one exchange whose rows are sent as messages.
    ///
    /// Rows of its blocks to their owners, then the sums of its own rows to all others; a row is its number and its
    /// elements.
    /// - Parameters:
    ///   - blocks: the rows that each own block touches.
    ///   - total: the rows that all lanes touch.
    package func bytesSent(_ blocks: [[Int32]], total: [Int32], width: Int) -> Int {
        guard let place = contributors.firstIndex(of: links.rank) else { return 0 }
        func isOwn(_ row: Int32) -> Bool { Int(row) % contributors.count == place }
        let away = blocks.joined().count { !isOwn($0) }
        let own = total.count { isOwn($0) }
        return (away + own * (links.worldSize - 1)) * (1 + width) * MemoryLayout<Float>.stride
    }

    private func places(_ rows: SparseRows, ownedBy owner: Int) -> [Int] {
        rows.ids.indices.filter { Int(rows.ids[$0]) % contributors.count == owner }
    }

    /// Adds `leaves`, one for each block of all contributors in the order of lanes.
    private func add(_ leaves: [RowList?], _ width: Int) -> SparseRows {
        guard let sum else { return SparseRows(ids: [], width: width) }
        return SparseRows.sum(of: leaves, in: sum, width: width, from: pool)
    }
}
