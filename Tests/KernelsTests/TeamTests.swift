import Synchronization
import Testing

@testable import Kernels

@Suite struct TeamTests {
    /// How often each item was computed.
    private final class Counts: Sendable {
        private let counts: Mutex<[Int]>
        init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
        func note(_ item: Int) { counts.withLock { $0[item] += 1 } }
        var all: [Int] { counts.withLock { $0 } }
    }

    @Test(arguments: [0, 1, 2, 3, 7, 64, 1_000])
    func `each item is computed once`(count: Int) {
        let pool = TeamPool()
        for threads in 2...9 {
            let counts = Counts(count)
            pool.run(count, threads: threads) { counts.note($0) }
            #expect(counts.all == [Int](repeating: 1, count: count))
        }
    }

    /// Each round's values depend on all of the round before: a thread that is late or early would be seen.
    @Test func `a call ends when all of its items have`() {
        let pool = TeamPool()
        var values = [Int](repeating: 1, count: 50)
        for _ in 0..<500 {
            let before = values
            unsafe values.withUnsafeMutableBufferPointer { buffer in
                nonisolated(unsafe) let next = unsafe buffer
                pool.run(before.count, threads: 4) { item in
                    unsafe next[item] = (before[item] &* 3 &+ before[(item + 1) % before.count]) % 1_000_003
                }
            }
        }
        var expected = [Int](repeating: 1, count: 50)
        for _ in 0..<500 {
            expected = expected.indices.map { (expected[$0] * 3 + expected[($0 + 1) % 50]) % 1_000_003 }
        }
        #expect(values == expected)
    }

    @Test func `callers at the same time each get all of their items`() async {
        let pool = TeamPool()
        let all = await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counts = Counts(200)
                    pool.run(200, threads: 3) { counts.note($0) }
                    return counts.all
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(all.count == 8 && all.allSatisfy { $0 == [Int](repeating: 1, count: 200) })
    }

    @Test func `an item may itself have items`() {
        let counts = Counts(12)
        Team.run(3, threads: 3) { outer in Team.run(4, threads: 3) { counts.note(outer * 4 + $0) } }
        #expect(counts.all == [Int](repeating: 1, count: 12))
    }

    @Test func `inside an item the kernels use one thread`() {
        let pool = TeamPool()
        let threads = Mutex<Set<Int>>([])
        Team.with(threads: 4) {
            pool.run(100, threads: 4) { _ in threads.withLock { _ = $0.insert(Team.threads) } }
            #expect(Team.threads == 4)
        }
        #expect(threads.withLock { $0 } == [1])
    }

    @Test func `every item computes with the usual rounding`() {
        let pool = TeamPool()
        let flushes = Mutex(0)
        pool.run(400, threads: 4) { _ in
            if Arithmetic.setFloatEnvironment() { flushes.withLock { $0 += 1 } }
        }
        #expect(flushes.withLock { $0 } == 0)
    }
}
