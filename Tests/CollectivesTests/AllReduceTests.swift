import Foundation
import Tensors
import Testing
import Transport

@testable import Collectives
@testable import Reduction

/// A lane's gradient: values whose sum depends on the order of additions.
func laneGradient(_ lane: Int, count: Int, seed: UInt64 = 0) -> [Float] {
    var state = UInt64(lane + 1) &* 0x9E37_79B9_7F4A_7C15 ^ seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let fraction = Float(Int32(truncatingIfNeeded: state >> 32)) / 2_147_483_648
        return state >> 20 & 7 == 0 ? -0.0 : fraction * Float(1 << (state >> 24 & 15))
    }
}

/// The sum of `lanes` in the order of `tree`; nil where all are empty.
func sum(_ lanes: Range<Int>, _ tree: ReductionTree, empty: Set<Int>, count: Int) -> [Float]? {
    if lanes.count == 1 { return empty.contains(lanes.lowerBound) ? nil : laneGradient(lanes.lowerBound, count: count) }
    let middle = tree.middle(of: lanes)
    let left = sum(lanes.lowerBound..<middle, tree, empty: empty, count: count)
    let right = sum(middle..<lanes.upperBound, tree, empty: empty, count: count)
    guard let left, let right else { return left ?? right }
    return zip(left, right).map { $0 + $1 }
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

@Suite struct AllReduceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let laneCount: Int
        let workers: Int
        let hosts: [Int]
        let count: Int
        var empty: Set<Int> = []
        var testDescription: String {
            "\(laneCount) lanes, \(workers) workers on hosts \(hosts), \(count) elements, empty \(empty)"
        }
    }

    static let cases: [Case] = [1, 2, 3, 4, 5, 8].flatMap { workers in
        [1, 2, 3, 4, 7, 16].flatMap { lanes in
            ExchangePlanTests.hostings(workers).flatMap { hosts in
                [
                    Case(laneCount: lanes, workers: workers, hosts: hosts, count: 12_345),
                    Case(laneCount: lanes, workers: workers, hosts: hosts, count: 70, empty: Set(0..<(lanes / 2))),
                ]
            }
        }
    }

    /// Fills the blocks of `reduce` with the sums of its lanes.
    static func fill(_ reduce: AllReduce, rank: Int, empty: Set<Int>) -> [[Float]] {
        let plan = reduce.plan
        return zip(plan.blocks(of: rank), reduce.blocks).map { block, view in
            let values =
                sum(block.lanes, plan.tree, empty: empty, count: plan.count)
                ?? [Float](repeating: .nan, count: plan.count)
            view.copy(from: values)
            return values
        }
    }

    @Test(arguments: cases) func everyRankGetsTheBitsOfTheTreeAndSendsTheBytesOfTheFormula(test: Case) throws {
        let results = onRanks(test.workers, capacity: 200, seed: UInt64(test.count)) { mesh in
            let links = ExchangeLinks(mesh: mesh, generation: 3)
            let lanes = LaneAssignment(laneCount: test.laneCount, workers: test.workers).lanes
            let wanted = ExchangePlan(
                laneCount: test.laneCount, lanes: lanes, hosts: test.hosts, count: test.count, frameElements: 1_000)
            var generator = SystemRandomNumberGenerator()
            let made = try HostMemory.establish(
                wanted, links: links, step: 0, bucket: 0, deadline: .farOff, generator: &generator)
            #expect(made.failure == nil)
            let reduce = AllReduce(plan: made.plan, memory: made.memory, links: links)
            var found: [[UInt32]] = []
            let first = Self.fill(reduce, rank: mesh.rank, empty: test.empty)
            for step in 1...3 as ClosedRange<UInt64> {
                // Doubled each time, which doubles every sum exactly: leftovers of an earlier step would be visible.
                let blocks = first.map { values in values.map { $0 * Float(1 << step) } }
                for (view, values) in zip(reduce.blocks, blocks) { view.copy(from: values) }
                let before = links.counters.bytesSent
                let gradient = try #require(try reduce.run(step: step, emptyLanes: test.empty, deadline: .farOff))
                #expect(
                    links.counters.bytesSent - before
                        == made.plan.bytesSent(by: mesh.rank, made.plan.sums(emptyLanes: test.empty)))
                #expect(zip(blocks, reduce.blocks).allSatisfy { bits($0) == bits($1.array) })
                let whole = FloatBuffer(count: test.count).view
                gradient.copy(into: whole)
                found.append(bits(whole.array))
            }
            return found
        }
        let tree = ReductionTree(laneCount: test.laneCount)
        let expected = try #require(sum(0..<test.laneCount, tree, empty: test.empty, count: test.count))
        let steps = (1...3).map { step in bits(expected.map { $0 * Float(1 << step) }) }
        for result in results { #expect(try result.get() == steps) }
    }

    @Test(arguments: [(lanes: 6, workers: 6, roots: 1), (5, 2, 2), (13, 3, 3)])
    func noLinkEverHoldsMoreFramesThanPromised(test: (lanes: Int, workers: Int, roots: Int)) throws {
        let results = onRanks(test.workers, capacity: 16 * (test.roots + 1), seed: 9) { mesh in
            let plan = ExchangePlan(
                laneCount: test.lanes, lanes: LaneAssignment(laneCount: test.lanes, workers: test.workers).lanes,
                hosts: Array(0..<test.workers), count: 60_000, frameElements: 64)
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            _ = Self.fill(reduce, rank: mesh.rank, empty: [])
            for step in 1...2 as ClosedRange<UInt64> { _ = try reduce.run(step: step, deadline: .farOff) }
            let sums = plan.sums()
            return (
                roots: sums.hosts.map(\.roots.count).max() ?? 0,
                refused: mesh.wires.condition.withLock { mesh.wires.timesFull }
            )
        }
        for result in results {
            let found = try result.get()
            #expect(found.roots == test.roots)
            #expect(found.refused == 0)
        }
    }

    @Test func emptyLanesAloneGiveNoGradient() throws {
        let results = onRanks(2) { mesh in
            let plan = ExchangePlan(laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: 10)
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            return try reduce.run(step: 1, emptyLanes: [0, 1], deadline: .farOff) == nil
        }
        for result in results { #expect(try result.get()) }
    }

    @Test func aLostRankEndsTheExchangeAndBlockSumsStay() throws {
        let results = onRanks(3) { mesh -> ExchangeError? in
            let plan = ExchangePlan(
                laneCount: 3, lanes: [0..<1, 1..<2, 2..<3], hosts: [0, 1, 2], count: 20_000, frameElements: 500)
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            let blocks = Self.fill(reduce, rank: mesh.rank, empty: [])
            if mesh.rank == 2 {
                mesh.wires.lose(2)
                return ExchangeError.mesh(.lost(rank: 2))
            }
            do throws(ExchangeError) {
                _ = try reduce.run(step: 1, deadline: .farOff)
                return nil
            } catch {
                #expect(zip(blocks, reduce.blocks).allSatisfy { bits($0) == bits($1.array) })
                return error
            }
        }
        for result in results { #expect(try result.get() == .mesh(.lost(rank: 2))) }
    }

    @Test func aSilentRankIsNamedWhenTheDeadlinePasses() throws {
        let results = onRanks(3) { mesh -> ExchangeError? in
            if mesh.rank == 1 { return nil }
            let plan = ExchangePlan(laneCount: 3, lanes: [0..<1, 1..<2, 2..<3], hosts: [0, 1, 2], count: 20_000)
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            do throws(ExchangeError) {
                _ = try reduce.run(step: 1, deadline: .now + .milliseconds(50))
                return nil
            } catch { return error }
        }
        for rank in [0, 2] {
            guard case .mesh(.deadline(let late)) = try results[rank].get() else {
                Issue.record("rank \(rank) did not run out of time")
                continue
            }
            #expect(late.contains(1))
        }
    }

    @Test(arguments: 0..<4) func aFrameThatDoesNotFitThePlanIsRefused(fault: Int) throws {
        let results = onRanks(2) { mesh -> ExchangeError? in
            if mesh.rank == 1 {
                mesh.tamper = { header, bytes in
                    var header = header
                    switch fault {
                    case 0: header.offset = .max
                    case 1: header.count = .max
                    case 2: return (header, Array(bytes.dropLast()))
                    default: header.sender = 7
                    }
                    return (header, bytes)
                }
            }
            let plan = ExchangePlan(laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: 20_000)
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            do throws(ExchangeError) {
                _ = try reduce.run(step: 1, deadline: .now + .seconds(mesh.rank == 0 ? 60 : 1))
                return nil
            } catch {
                if mesh.rank == 0 { mesh.wires.lose(0) }
                return error
            }
        }
        guard case .unexpected = try results[0].get() else {
            Issue.record("the frame was taken: \(results[0])")
            return
        }
    }

    @Test func framesOfAnotherGenerationAreNotHeard() throws {
        let results = onRanks(2) { mesh -> [[UInt8]] in
            let links = ExchangeLinks(mesh: mesh, generation: 2)
            if mesh.rank == 1 {
                let old = ExchangeLinks(mesh: mesh, generation: 1)
                try unsafe old.send(
                    .value, ExchangeID(step: 1, bucket: 0), count: 1, payload: [UInt8(9)].span.bytes, to: 0,
                    deadline: .farOff)
            }
            return try links.allGather([UInt8(mesh.rank)], step: 1, bucket: 0, deadline: .farOff)
        }
        for result in results { #expect(try result.get() == [[0], [1]]) }
    }
}
