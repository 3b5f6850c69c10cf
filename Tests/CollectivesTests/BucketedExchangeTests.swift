import Foundation
import Synchronization
import Tensors
import Testing
import Transport

@testable import Collectives
@testable import Reduction

/// Exchanges that begin while block sums are still written.
@Suite struct BucketedExchangeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let size: Int
        let workers: Int
        let hosts: [Int]
        var empty: Set<Int> = []
        var late: Int?
        var testDescription: String {
            "buckets of \(size), \(workers) workers on hosts \(hosts), empty \(empty), late \(late ?? 0)"
        }
    }

    static let count = 3 * 4_096 + 1
    static let lanes = 8

    static let cases: [Case] = [2, 3, 5].flatMap { workers in
        [4_096, 8_000, 1 << 20].flatMap { size in
            ExchangePlanTests.hostings(workers).flatMap { hosts in
                [
                    Case(size: size, workers: workers, hosts: hosts),
                    Case(size: size, workers: workers, hosts: hosts, empty: [0, 1, 2, 6], late: 9_000),
                ]
            }
        }
    }

    /// @unchecked: used by one thread at a time, ordered by a semaphore.
    private struct Lent: @unchecked Sendable {
        let reduce: AllReduce
    }

    /// Runs an exchange on a thread of its own while `compute` writes the block sums.
    private static func exchange(
        _ reduce: AllReduce, step: UInt64, empty: Set<Int> = [], compute: (BucketGate) -> Void
    ) throws -> ReducedGradient? {
        let (bell, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let gate = BucketGate(reduce.plan, ring: { bell.signal() }, wait: { bell.wait() })
        let (lent, box) = (Lent(reduce: reduce), Box())
        Thread {
            let made = Result { try lent.reduce.run(step: step, emptyLanes: empty, gate: gate) { .farOff } }
            box.result.withLock { $0 = made }
            done.signal()
        }.start()
        compute(gate)
        done.wait()
        return try #require(box.result.withLock { $0 }).get()
    }

    private final class Box: Sendable {
        let result = Mutex<Result<ReducedGradient?, any Error>?>(nil)
    }

    private final class Sum: Sendable {
        private let value = Mutex(0)

        func add(_ number: Int) -> Int {
            value.withLock {
                $0 += number
                return $0
            }
        }
    }

    @Test(arguments: cases) func `buckets of any size have the bits of the tree`(test: Case) throws {
        let results = onRanks(test.workers, capacity: 200, seed: UInt64(test.size)) { mesh in
            let links = ExchangeLinks(mesh: mesh, generation: 3)
            let wanted = ExchangePlan(
                laneCount: Self.lanes, lanes: LaneAssignment(laneCount: Self.lanes, workers: test.workers).lanes,
                hosts: test.hosts, count: Self.count, frameElements: 1_000,
                cut: BucketCut(size: test.size, late: test.late))
            var generator = SystemRandomNumberGenerator()
            let made = try HostMemory.establish(
                wanted, links: links, step: 0, bucket: 0, deadline: .farOff, generator: &generator)
            #expect(made.failure == nil)
            #expect(made.plan.buckets == wanted.buckets)
            let reduce = AllReduce(plan: made.plan, memory: made.memory, links: links)
            let sums = AllReduceTests.fill(reduce, rank: mesh.rank, empty: test.empty)
            var found: [[UInt32]] = []
            for step in 1...2 as ClosedRange<UInt64> {
                for view in reduce.blocks { view.fill(.nan) }
                let before = links.counters.bytesSent
                let gradient = try #require(
                    try Self.exchange(reduce, step: step, empty: test.empty) { gate in
                        // From the end, in parts that know nothing of the buckets; the first ones are left to the end.
                        var end = Self.count
                        while end > 0 {
                            let range = max(0, end - 2_001)..<end
                            for (view, values) in zip(reduce.blocks, sums) {
                                view[range].copy(from: values[range].map { $0 * Float(1 << step) })
                            }
                            if end > 2_001 { gate.isFinal(range) }
                            end = range.lowerBound
                        }
                        gate.complete()
                    })
                #expect(
                    links.counters.bytesSent - before
                        == made.plan.bytesSent(by: mesh.rank, made.plan.sums(emptyLanes: test.empty)))
                let whole = FloatBuffer(count: Self.count).view
                gradient.copy(into: whole)
                found.append(bits(whole.array))
                var (next, parts) = (0, FloatBuffer(count: Self.count).view)
                gradient.forEachPart(in: 5_000..<11_456) { part in
                    #expect(part.range.lowerBound == max(next, 5_000))
                    next = part.range.upperBound
                    parts[part.range].copy(from: part.values)
                }
                #expect(next == 11_456 && bits(parts[5_000..<11_456].array) == Array(bits(whole.array)[5_000..<11_456]))
                // A step begins when all have ended the one before.
                _ = try links.allGather([], step: step, bucket: 1_000, deadline: .farOff)
            }
            return found
        }
        let tree = ReductionTree(laneCount: Self.lanes)
        let expected = try #require(sum(0..<Self.lanes, tree, empty: test.empty, count: Self.count))
        let steps = (1...2).map { step in bits(expected.map { $0 * Float(1 << step) }) }
        for result in results { #expect(try result.get() == steps) }
    }

    /// Three of four buckets leave while the last one is still computed, which waits for what left.
    @Test func `buckets are sent before the computing ends`() throws {
        let results = onRanks(2) { mesh in
            let (size, buckets) = (4_096, 4)
            let plan = ExchangePlan(
                laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: buckets * size, frameElements: 1_000,
                cut: BucketCut(size: size))
            #expect(plan.buckets.count == buckets)
            let links = ExchangeLinks(mesh: mesh, generation: 1)
            let reduce = AllReduce(plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: links)
            _ = AllReduceTests.fill(reduce, rank: mesh.rank, empty: [])
            let (sent, gone) = (Sum(), DispatchSemaphore(value: 0))
            // Each bucket has one owner here: a rank sends it either as a partial sum or as a total.
            mesh.tamper = { header, bytes in
                let all = sent.add(bytes.count)
                if all == (buckets - 1) * size * 4 { gone.signal() }
                return (header, bytes)
            }
            var isGone = false
            _ = try Self.exchange(reduce, step: 1) { gate in
                // All of it is final: the last bucket is not given before the computing has ended.
                gate.isFinal(0..<(buckets * size))
                isGone = gone.wait(timeout: .now() + 60) == .success
                gate.complete()
            }
            return (isGone, links.counters)
        }
        for result in results {
            let (isGone, counters) = try result.get()
            #expect(isGone)
            #expect(counters.bytesAhead == 3 * 4_096 * 4)
            #expect(counters.bytesSent == 4 * 4_096 * 4)
        }
    }

    @Test func `a step that is given up ends its exchange`() throws {
        let results = onRanks(2) { mesh -> (any Error)? in
            guard mesh.rank == 0 else { return nil }
            let plan = ExchangePlan(
                laneCount: 2, lanes: [0..<1, 1..<2], hosts: [0, 1], count: 20_000, cut: BucketCut(size: 4_096))
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: 0, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1))
            do {
                _ = try Self.exchange(reduce, step: 1) { $0.abandon() }
                return nil
            } catch { return error }
        }
        #expect(try results[0].get() as? ExchangeError == .mesh(.cancelled))
    }

    /// A rank is lost while another one still computes: its exchange ends with the error, and it is not waited for.
    @Test func `a rank that is lost behind the computing ends the exchange and leaves block sums`() throws {
        let results = onRanks(3) { mesh -> ExchangeError? in
            let plan = ExchangePlan(
                laneCount: 3, lanes: [0..<1, 1..<2, 2..<3], hosts: [0, 1, 2], count: 20_000, frameElements: 500,
                cut: BucketCut(size: 4_096))
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            let blocks = AllReduceTests.fill(reduce, rank: mesh.rank, empty: [])
            do {
                _ = try Self.exchange(reduce, step: 1) { gate in
                    gate.isFinal(8_192..<20_000)
                    if mesh.rank == 2 { mesh.wires.lose(2) }
                    gate.complete()
                }
                return nil
            } catch {
                #expect(zip(blocks, reduce.blocks).allSatisfy { bits($0) == bits($1.array) })
                return error as? ExchangeError
            }
        }
        for result in results { #expect(try result.get() == .mesh(.lost(rank: 2))) }
    }

    @Test(arguments: [(lanes: 6, workers: 6, roots: 1), (5, 2, 2), (13, 3, 3)])
    func `no link ever holds more frames than promised`(test: (lanes: Int, workers: Int, roots: Int)) throws {
        let results = onRanks(test.workers, capacity: 16 * (test.roots + 1), seed: 9) { mesh in
            let plan = ExchangePlan(
                laneCount: test.lanes, lanes: LaneAssignment(laneCount: test.lanes, workers: test.workers).lanes,
                hosts: Array(0..<test.workers), count: 60_000, frameElements: 64, cut: BucketCut(size: 4_096))
            let reduce = AllReduce(
                plan: plan, memory: HostMemory(of: mesh.rank, in: plan), links: ExchangeLinks(mesh: mesh, generation: 1)
            )
            _ = AllReduceTests.fill(reduce, rank: mesh.rank, empty: [])
            for step in 1...2 as ClosedRange<UInt64> { _ = try reduce.run(step: step, deadline: .farOff) }
            return mesh.wires.condition.withLock { mesh.wires.timesFull }
        }
        for result in results { #expect(try result.get() == 0) }
    }
}
