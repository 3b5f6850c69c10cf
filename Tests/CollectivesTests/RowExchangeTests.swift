import Tensors
import Testing
import Transport

@testable import Collectives
@testable import Reduction

@Suite struct RowExchangeTests {
    static let width = 5
    static let table = 61

    /// Whether `lane` touches `row`; some rows are touched by one lane alone, some by all, some by none.
    static func touches(_ lane: Int, _ row: Int) -> Bool {
        switch row % 7 {
        case 0: true
        case 1: lane == row % 3
        case 2: false
        default: (lane &* 31 &+ row &* 17) % 3 == 0
        }
    }

    static func lane(_ lane: Int, _ row: Int) -> [Float] { laneGradient(lane, count: width, seed: UInt64(row) << 8) }

    /// A row's sum over `lanes` by the definition; nil where no lane touches it.
    static func sum(_ lanes: Range<Int>, _ tree: ReductionTree, _ row: Int) -> [Float]? {
        if lanes.count == 1 { return touches(lanes.lowerBound, row) ? lane(lanes.lowerBound, row) : nil }
        let middle = tree.middle(of: lanes)
        let (left, right) = (sum(lanes.lowerBound..<middle, tree, row), sum(middle..<lanes.upperBound, tree, row))
        guard let left, let right else { return left ?? right }
        return zip(left, right).map { $0 + $1 }
    }

    /// A row's sum where lanes that do not touch it add zeros.
    static func denseSum(_ lanes: Range<Int>, _ tree: ReductionTree, _ row: Int) -> [Float] {
        if lanes.count == 1 {
            return touches(lanes.lowerBound, row) ? lane(lanes.lowerBound, row) : [Float](repeating: 0, count: width)
        }
        let middle = tree.middle(of: lanes)
        return zip(denseSum(lanes.lowerBound..<middle, tree, row), denseSum(middle..<lanes.upperBound, tree, row)).map {
            $0 + $1
        }
    }

    static func rows(_ lanes: Range<Int>, _ tree: ReductionTree) -> SparseRows? {
        let touched = (0..<table).compactMap { row in sum(lanes, tree, row).map { (Int32(row), $0) } }
        guard !touched.isEmpty else { return nil }
        let rows = SparseRows(ids: touched.map(\.0), width: width)
        for (place, row) in touched.enumerated() { rows.row(place).copy(from: row.1) }
        return rows
    }

    @Test(arguments: [1, 2, 3, 4, 7, 16], [1, 2, 3, 5, 8])
    func rowsOfAllRanksAddUpToTheBitsOfTheTree(laneCount: Int, workers: Int) throws {
        let results = onRanks(workers, capacity: 4, seed: UInt64(laneCount)) { mesh in
            let lanes = LaneAssignment(laneCount: laneCount, workers: workers).lanes
            let plan = ExchangePlan(
                laneCount: laneCount, lanes: lanes, hosts: Array(0..<workers), count: 0,
                frameElements: 3 * (Self.width + 1))
            let links = ExchangeLinks(mesh: mesh, generation: 1)
            let exchange = RowExchange(plan: plan, links: links)
            let blocks = plan.blocks(of: mesh.rank).map { Self.rows($0.lanes, plan.tree) }
            return try (1...2 as ClosedRange<UInt64>).map { step in
                let before = links.counters.bytesSent
                let total = try exchange.run(
                    blocks, width: Self.width, rows: .max, step: step, bucket: 4, deadline: .farOff)
                #expect(
                    links.counters.bytesSent - before
                        == exchange.bytesSent(blocks.map { $0?.ids ?? [] }, total: total.ids, width: Self.width))
                return total
            }
        }
        let tree = ReductionTree(laneCount: laneCount)
        let expected = try #require(Self.rows(0..<laneCount, tree))
        for result in results {
            for rows in try result.get() {
                #expect(rows.ids == expected.ids)
                #expect(bits(rows.matrix.elements.array) == bits(expected.matrix.elements.array))
                for (place, id) in rows.ids.enumerated() {
                    #expect(rows.row(place).array == Self.denseSum(0..<laneCount, tree, Int(id)))
                }
            }
        }
    }

    @Test(
        arguments: [([1, 3, 7], [0, 3, 8]), ([], [2]), ([2, 5], []), ([4], [4]), ([9], [1, 2, 3])]
            as [([Int32], [Int32])])
    func twoListsOfRowsAddUpAsInTheTree(left: [Int32], right: [Int32]) {
        let pool = SparseRowPool()
        func rows(_ ids: [Int32], _ scale: Float) -> SparseRows {
            let rows = SparseRows(ids: ids, width: Self.width)
            for (place, id) in ids.enumerated() {
                rows.row(place).copy(from: (0..<Self.width).map { scale * Float(id) + 0.1 * Float($0) })
            }
            return rows
        }
        let expected = SparseRows.sum(
            of: [rows(left, 0.3).list, rows(right, -7).list], in: .sum(.leaf(0), .leaf(1)), width: Self.width,
            from: SparseRowPool())
        for _ in 0..<2 {
            let sum = SparseRows.sum(rows(left, 0.3), rows(right, -7), from: pool)
            #expect(sum.ids == expected.ids && bits(sum.matrix.elements.array) == bits(expected.matrix.elements.array))
            pool.give(back: sum)
        }
    }

    @Test func aRowOfNegativeZerosThatOneLaneTouchesStaysNegative() throws {
        let results = onRanks(2) { mesh in
            let plan = ExchangePlan(laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: 0)
            let rows = SparseRows(ids: mesh.rank == 0 ? [3] : [3, 4], width: 2)
            rows.matrix.elements.fill(-0.0)
            let exchange = RowExchange(plan: plan, links: ExchangeLinks(mesh: mesh, generation: 1))
            return try exchange.run([rows], width: 2, rows: 10, step: 1, bucket: 0, deadline: .farOff)
        }
        for result in results {
            let rows = try result.get()
            #expect(rows.ids == [3, 4])
            #expect(bits(rows.matrix.elements.array) == bits([-0.0, -0.0, -0.0, -0.0]))
        }
    }

    @Test func noRowsAnywhereGiveNoRows() throws {
        let results = onRanks(3) { mesh in
            let plan = ExchangePlan(
                laneCount: 2, lanes: LaneAssignment(laneCount: 2, workers: 3).lanes, hosts: [0, 1, 2], count: 0)
            let exchange = RowExchange(plan: plan, links: ExchangeLinks(mesh: mesh, generation: 1))
            return try exchange.run(
                plan.blocks(of: mesh.rank).map { _ in nil }, width: 2, rows: 10, step: 1, bucket: 0, deadline: .farOff)
        }
        for result in results { #expect(try result.get().ids.isEmpty) }
    }

    @Test(arguments: 0..<7) func rowsThatAreNotAscendingOrDoNotFitAreRefused(fault: Int) throws {
        let results = onRanks(2) { mesh -> ExchangeError? in
            if mesh.rank == 1 {
                mesh.tamper = { header, bytes in
                    var (header, bytes) = (header, bytes)
                    switch fault {
                    case 0: bytes.swapAt(0, 4)
                    case 1: header.count = .max / 12
                    case 2: bytes.removeLast()
                    case 3: header.offset = 1 << 63
                    case 4: bytes.replaceSubrange(0..<4, with: [255, 255, 255, 255])
                    // No rows and no end: such frames could follow each other forever.
                    case 5:
                        if header.kind == ExchangeKind.lastRows.rawValue {
                            (header.kind, header.count, bytes) = (ExchangeKind.rows.rawValue, 0, [])
                        }
                    // The first row that the table does not have, in the place of the fourth; its own sums are a single
                    // row.
                    default: if bytes.count >= 16 { bytes.replaceSubrange(12..<16, with: [10, 0, 0, 0]) }
                    }
                    return (header, bytes)
                }
            }
            let plan = ExchangePlan(laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: 0)
            let rows = SparseRows(ids: [2, 4, 6, 7, 8], width: 2)
            let exchange = RowExchange(plan: plan, links: ExchangeLinks(mesh: mesh, generation: 1))
            do throws(ExchangeError) {
                _ = try exchange.run([rows], width: 2, rows: 10, step: 1, bucket: 0, deadline: .farOff)
                return nil
            } catch {
                if mesh.rank == 0 { mesh.wires.lose(0) }
                return error
            }
        }
        guard case .unexpected(rank: 1, _, _) = try results[0].get() else {
            Issue.record("the rows were taken: \(results[0])")
            return
        }
    }
}
