package import Tensors
internal import Transport

/// Adds gradients that are kept as touched rows, in the order of the reduction tree, for one generation.
///
/// Row r belongs to the (r mod C)th of the C ranks with lanes: frequent rows lie close together, so this evens out the
/// work. Owners receive their rows of every block, add them, and send the sums to all ranks. A row that only some blocks
/// touch is added over those alone: the bits are those of a dense sum in which the others are absent.
package final class RowExchange {
    private let plan: ExchangePlan
    private let links: ExchangeLinks
    private let contributors: [Int]

    package init(plan: ExchangePlan, links: ExchangeLinks) {
        self.plan = plan
        self.links = links
        contributors = plan.lanes.indices.filter { !plan.lanes[$0].isEmpty }
    }

    /// The rows of the sum over all lanes, on every rank.
    ///
    /// - Parameters:
    ///   - blocks: this rank's block sums in the order of its blocks; nil where no lane of a block touches a row.
    ///   - width: elements of a row, the same on every rank.
    ///   - rows: of the table, the same on every rank.
    ///   - step: with `bucket` unique in this generation.
    /// - Throws: ``ExchangeError``. The generation is over; `blocks` are unchanged.
    /// - Complexity: 2 hops, and one more each way for every frame after the first; bytes as in Collectives.docc.
    package func run(
        _ blocks: [SparseRows?], width: Int, rows: Int, step: UInt64, bucket: UInt32, deadline: ContinuousClock.Instant
    ) throws(ExchangeError) -> SparseRows {
        let id = ExchangeID(step: step, bucket: bucket)
        let own = plan.blocks(of: links.rank).count
        precondition(blocks.count == own, "\(blocks.count) sums of rows for \(own) blocks")
        let flow = RowFlow(links: links, id: id, width: width, tableRows: rows, frameElements: plan.frameElements, deadline: deadline)

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
            toOwners, from: isOwner ? others : [], more: .rows, last: .lastRows, blocks: { self.plan.blocks(of: $0).count })

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
            let total = add(leaves, width)
            let whole = RowSlice(block: 0, rows: total, places: Array(total.ids.indices))
            for peer in 0..<links.worldSize where peer != links.rank { fromOwner[peer] = [whole] }
            totals.append(total)
        }
        let received = try flow.exchange(fromOwner, from: others, more: .totalRows, last: .lastTotalRows, blocks: { _ in 1 })
        totals += others.compactMap { received[$0]?[0] }
        return SparseRows.interleaved(totals, width: width)
    }

    /// Payload bytes that this rank sends in one exchange.
    ///
    /// Rows of its blocks to their owners, then the sums of its own rows to all others; a row is its number and its elements.
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
    private func add(_ leaves: [SparseRows?], _ width: Int) -> SparseRows {
        let blocks = contributors.flatMap { plan.blocks(of: $0) }
        guard let sum = plan.tree.roots(of: blocks, empty: { _ in false }).first?.sum else { return SparseRows(ids: [], width: width) }
        return SparseRows.sum(of: leaves, in: sum, width: width)
    }
}
