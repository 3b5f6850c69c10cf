import Tensors
import Testing

@testable import Collectives
@testable import Reduction

/// Touched rows in memory that the ranks of a host share.
@Suite struct SharedRowsTests {
    static let width = 3

    private static func rows(_ ids: [Int32], scale: Float = 1) -> SparseRows {
        let rows = SparseRows(ids: ids, width: width)
        for (place, id) in ids.enumerated() {
            rows.row(place).copy(from: (0..<width).map { scale * Float(id) + Float($0) / 8 })
        }
        return rows
    }

    private static func memory(blocks: Int) -> (view: FloatView, rows: SharedRows) {
        let view = FloatBuffer(count: SharedRows.elements(blocks: blocks, width: width)).view
        return (view, SharedRows(view, blocks: blocks, width: width))
    }

    private static func read(_ rows: SharedRows, tableRows: Int = 10_000) throws -> [[Int32]?]? {
        var numbers: [[Int32]] = []
        return try rows.read(of: 2, tableRows: tableRows, into: &numbers)?.map { $0?.ids }
    }

    @Test(arguments: [[[]], [[4]], [[0, 7, 9], [], [2, 7]], [[], [1]]] as [[[Int32]]])
    func `what is read is what was written, block by block`(ids: [[Int32]]) throws {
        let (_, shared) = Self.memory(blocks: ids.count)
        shared.write(ids.map { _ in Self.rows(Array(0..<500)) })
        let sums = ids.enumerated().map { $1.isEmpty ? nil : Self.rows($1, scale: Float($0 + 1)) }
        shared.write(sums)
        var numbers: [[Int32]] = []
        let lists = try #require(try shared.read(of: 0, tableRows: 10, into: &numbers))
        #expect(lists.map { $0?.ids ?? [] } == ids)
        for (list, sum) in zip(lists, sums) { #expect(list?.values.array == sum?.matrix.elements.array) }
    }

    @Test func `rows that find no room are told of, and the next ones are read again`() throws {
        let (_, shared) = Self.memory(blocks: 2)
        let most = Int32(SharedRows.most)
        shared.write([Self.rows(Array(0..<most)), nil])
        #expect(try Self.read(shared) == [Array(0..<most), nil])
        shared.write([Self.rows(Array(0..<most)), Self.rows([3])])
        #expect(try Self.read(shared) == nil)
        shared.write([nil, Self.rows([3])])
        #expect(try Self.read(shared) == [nil, [3]])
    }

    @Test(arguments: [
        (0, UInt32(SharedRows.most) + 1), (0, UInt32.max - 1), (1, 9), (2, 4), (3, 10_000), (1, UInt32.max),
    ])
    func `memory that holds no such rows is an error that names the rank`(place: Int, word: UInt32) throws {
        let (view, shared) = Self.memory(blocks: 1)
        shared.write([Self.rows([4, 6, 8])])
        #expect(try Self.read(shared) == [[4, 6, 8]])
        view[place] = Float(bitPattern: word)
        #expect {
            try Self.read(shared)
        } throws: { error in
            guard case ExchangeError.unexpected(rank: 2, _, _)? = error as? ExchangeError else { return false }
            return true
        }
    }

    private static let lanes = 3

    /// In the second step the rows of the first two lanes find no room.
    private static func ids(_ lane: Int, _ step: UInt64) -> [Int32] {
        let count = step == 2 && lane < 2 ? 2 * Int32(SharedRows.most) : 40
        return (0..<count).filter { ($0 + Int32(lane)) % 3 != 0 }
    }

    private static func sum(_ lanes: Range<Int>, _ step: UInt64) -> SparseRows {
        if lanes.count == 1 { return rows(ids(lanes.lowerBound, step), scale: 0.37 + Float(lanes.lowerBound)) }
        let middle = ReductionTree(laneCount: Self.lanes).middle(of: lanes)
        return .sum(sum(lanes.lowerBound..<middle, step), sum(middle..<lanes.upperBound, step), from: SparseRowPool())
    }

    @Test(arguments: [1, 2, 3]) func `ranks of a host add up the same over memory, over messages and over memory again`(
        workers: Int
    ) throws {
        let results = onRanks(workers) { mesh in
            let links = ExchangeLinks(mesh: mesh, generation: 1)
            let plan = ExchangePlan(
                laneCount: Self.lanes, lanes: LaneAssignment(laneCount: Self.lanes, workers: workers).lanes,
                hosts: [Int](repeating: 0, count: workers),
                count: 10, rowWidth: Self.width)
            var random = SystemRandomNumberGenerator()
            let made = try HostMemory.establish(
                plan, links: links, step: 0, bucket: 0, deadline: .farOff, generator: &random)
            let reduce = AllReduce(plan: made.plan, memory: made.memory, links: links)
            let exchange = RowExchange(plan: made.plan, links: links, memory: made.memory)
            return try (1...3 as ClosedRange<UInt64>).map { step in
                let blocks: [SparseRows?] = plan.blocks(of: mesh.rank).map { Self.sum($0.lanes, step) }
                for block in reduce.blocks { block.fill(1) }
                exchange.publish(blocks)
                _ = try reduce.run(step: step, deadline: .farOff)
                let before = links.counters.bytesSent
                let total = try exchange.run(
                    blocks, width: Self.width, rows: 10_000, step: step, bucket: 1, deadline: .farOff)
                let found = (
                    ids: total.ids, bits: bits(total.matrix.elements.array),
                    isMessage: links.counters.bytesSent > before
                )
                // No rank publishes the next rows before all have read these, as between steps.
                _ = try links.allGather([], step: step, bucket: 2, deadline: .farOff)
                return found
            }
        }
        for result in results {
            for (place, found) in try result.get().enumerated() {
                let step = UInt64(place + 1)
                let expected = Self.sum(0..<Self.lanes, step)
                #expect(found.ids == expected.ids && found.bits == bits(expected.matrix.elements.array), "step \(step)")
                #expect(found.isMessage == (workers > 1 && step == 2), "step \(step)")
            }
        }
    }
}
