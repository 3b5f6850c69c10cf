internal import CSystem
internal import Synchronization

/// The threads that compute together: one pool serves all parallel work of a process.
///
/// Work is divided into items that are computed whole, by any thread, so the bits do not depend on the number of
/// threads. A thread with nothing to do spins for at most 20 µs and then sleeps. The thread that has work takes items
/// itself, so a thread that is late costs nothing; only an item that another thread has begun is waited for.
package enum Team {
    /// Runs `body` for each of `count` items on at most `threads` threads, this one among them, and waits for all.
    ///
    /// Items are begun in ascending order. Work inside an item uses the item's thread alone. If another thread is
    /// already running items, the calling thread computes all of its own.
    package static func run(_ count: Int, threads: Int, _ body: (Int) -> Void) {
        guard count > 1, threads > 1, count <= TeamPool.mostItems else { return alone(count, body) }
        apus_note_fork()
        TeamPool.shared.run(count, threads: threads, body)
    }

    /// Lets the kernels that `body` calls on this thread divide their work among `threads` threads.
    package static func with<Result>(threads: Int, _ body: () throws -> Result) rethrows -> Result {
        let before = apus_team_threads()
        apus_set_team_threads(CInt(threads))
        defer { apus_set_team_threads(before) }
        return try body()
    }

    /// Threads among which a kernel may divide its work.
    package static var threads: Int { Int(apus_team_threads()) }

    /// How often the calling thread divided work among a team, for tests and benchmarks.
    package static var forks: Int { Int(apus_forks()) }

    static func alone(_ count: Int, _ body: (Int) -> Void) { with(threads: 1) { for item in 0..<count { body(item) } } }

    /// Runs `body` over consecutive ranges that cover `0 ..< count`, one range after another or by the team.
    ///
    /// - Parameters:
    ///   - unit: ranges begin at multiples of it.
    ///   - cost: multiply-adds of one element, or what takes as long. Little work is not divided.
    package static func divide(_ count: Int, unit: Int, cost: Int, _ body: (Range<Int>) -> Void) {
        let units = (count + unit - 1) / unit
        let parts = parts(units, work: count * cost)
        guard parts > 1 else { return body(0..<count) }
        let size = (units + parts - 1) / parts * unit
        run((count + size - 1) / size, threads: threads) { body(($0 * size)..<min(($0 + 1) * size, count)) }
    }

    /// The number of parts for work that consists of `units` equal units: several for each thread, because not all
    /// threads are equally fast; 1 if dividing it costs more than it saves.
    static func parts(_ units: Int, work: Int) -> Int {
        let least = leastWork.load(ordering: .relaxed)
        guard threads > 1, work >= 2 * least else { return 1 }
        return max(1, min(units, 4 * threads, work / least))
    }

    /// Multiply-adds that take some 5 µs: less is not worth a call of other threads.
    private static let leastWork = Atomic(1 << 18)

    /// For tests: also divides the least work among the team.
    package static func divideEverything() { leastWork.store(1, ordering: .relaxed) }
}

/// The process's helping threads, and the work that they share with the thread that brings it.
@safe
final class TeamPool: @unchecked Sendable {  // `body` changes while no item is open; see `takeItem`.
    static let shared = TeamPool()
    /// Items that one call may have: they are counted in 32 bits.
    static let mostItems = Int(Int32.max)

    /// Whether a thread is running items.
    private let isBusy = Atomic(false)
    /// The next item in the upper half, the number of items in the lower.
    private let items = Atomic<UInt64>(0)
    /// Items that are not finished.
    private let open = Word()
    /// Helping threads that may take part.
    private let wanted = Atomic(0)
    /// Changed to wake sleeping threads.
    private let bell = Word()
    private let sleepers = Atomic(0)
    /// Whether the thread that brought the work sleeps until `open` is 0.
    private let isAwaited = Atomic(false)
    private var helpers = 0
    private var body: UnsafeMutablePointer<(Int) -> Void>?

    func run(_ count: Int, threads: Int, _ body: (Int) -> Void) {
        guard !isBusy.exchange(true, ordering: .acquiring) else { return Team.alone(count, body) }
        defer { isBusy.store(false, ordering: .releasing) }
        start(helpers: threads - 1)
        withoutActuallyEscaping(body) { escaping in
            var function = escaping
            unsafe withUnsafeMutablePointer(to: &function) { pointer in
                unsafe self.body = pointer
                open.store(UInt32(count))
                wanted.store(threads - 1, ordering: .relaxed)
                items.store(UInt64(count), ordering: .sequentiallyConsistent)
                if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake(min(threads - 1, count - 1)) }
                Team.with(threads: 1) { while takeItem() {} }
                waitForOthers()
            }
        }
    }

    /// Computes the next item; false if there is none left.
    ///
    /// Who has claimed an item may use `body`: it was set before the items were published, and the thread that set it
    /// waits until each item is finished.
    private func takeItem() -> Bool {
        var seen = items.load(ordering: .acquiring)
        while true {
            let (next, count) = (seen >> 32, seen & 0xffff_ffff)
            guard next < count else { return false }
            let (isMine, now) = items.weakCompareExchange(
                expected: seen, desired: seen + (1 << 32), successOrdering: .acquiring, failureOrdering: .acquiring)
            guard isMine else {
                seen = now
                continue
            }
            unsafe body?.pointee(Int(next))
            if open.decrement() == 0,
                isAwaited.load(ordering: .sequentiallyConsistent)
            {
                unsafe apus_wake(open.address, 1)
            }
            return true
        }
    }

    private func waitForOthers() {
        if spin(until: { open.load() == 0 }) { return }
        isAwaited.store(true, ordering: .sequentiallyConsistent)
        while true {
            let left = open.load()
            if left == 0 { break }
            unsafe apus_wait_while(open.address, left)
        }
        isAwaited.store(false, ordering: .relaxed)
    }

    private func wake(_ most: Int) {
        bell.increment()
        unsafe apus_wake(bell.address, CInt(most))
    }

    private func hasItems(for helper: Int) -> Bool {
        let seen = items.load(ordering: .sequentiallyConsistent)
        return seen >> 32 < seen & 0xffff_ffff && helper < wanted.load(ordering: .relaxed)
    }

    private final class Helper: Sendable {
        let pool: TeamPool
        let number: Int

        init(pool: TeamPool, number: Int) { (self.pool, self.number) = (pool, number) }
    }

    /// The life of a helping thread.
    private func help(_ helper: Int) -> Never {
        while true {
            if hasItems(for: helper) {
                Arithmetic.setFloatEnvironment()
                while takeItem() {}
            }
            if spin(until: { hasItems(for: helper) }) { continue }
            sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
            let heard = bell.load()
            if !hasItems(for: helper) { unsafe apus_wait_while(bell.address, heard) }
            sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// Waits for `condition` for at most 20 µs; returns whether it came.
    private func spin(until condition: () -> Bool) -> Bool {
        let end = ContinuousClock.now + .microseconds(20)
        repeat {
            for _ in 0..<16 {
                if condition() { return true }
                apus_pause()
            }
        } while ContinuousClock.now < end
        return condition()
    }

    /// Starts threads up to a number of helpers. If the system refuses one, those that there are do the work.
    private func start(helpers wanted: Int) {
        while helpers < wanted {
            let helper = unsafe Unmanaged.passRetained(Helper(pool: self, number: helpers))
            let code = unsafe apus_start_thread(
                "apus team",
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    let helper = unsafe Unmanaged<Helper>.fromOpaque(argument).takeRetainedValue()
                    helper.pool.help(helper.number)
                }, helper.toOpaque())
            guard code == 0 else { return unsafe helper.release() }
            helpers += 1
        }
    }
}

/// An atomic word at an address of its own, at which the system lets threads wait; it is never freed.
@safe
private struct Word: @unchecked Sendable {  // Only atomic operations reach the memory.
    private let pointer: UnsafeMutablePointer<Atomic<UInt32>>

    init() {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: Atomic(0))
    }

    func load() -> UInt32 { unsafe pointer.pointee.load(ordering: .sequentiallyConsistent) }
    func store(_ value: UInt32) { unsafe pointer.pointee.store(value, ordering: .sequentiallyConsistent) }
    func increment() { unsafe _ = pointer.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent) }
    /// Returns the new value.
    func decrement() -> UInt32 {
        unsafe pointer.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue
    }

    var address: UnsafePointer<UInt32> { unsafe UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt32.self) }
}
