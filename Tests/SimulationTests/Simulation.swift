import Foundation
import Transport

@testable import Coordination

/// Many processes in one, of which one thread at a time runs, chosen by a seed; time passes only when nothing can run.
///
/// Asynchronous work runs on the thread of ``run(until:)``. Threads of the processes, which may block, are real ones;
/// each runs while that thread waits. So everything here is used by one thread at a time, and a seed repeats exactly.
final class Simulation: @unchecked Sendable {
    enum Ending: Equatable {
        case done
        /// Nothing can run, and nothing will.
        case quiet
        /// More turns than any run needs.
        case endless
    }

    /// A thing that waits for a turn.
    enum Turn {
        case job(UnownedJob, SimulatedProcess)
        case thread(SimulatedThread)

        var process: SimulatedProcess {
            switch self {
            case .job(_, let process): process
            case .thread(let thread): thread.process
            }
        }
    }

    /// Something that happens at a time.
    final class Timer {
        let due: Duration
        let number: Int
        let process: SimulatedProcess?
        let act: () -> Void
        var isCancelled = false

        init(due: Duration, number: Int, process: SimulatedProcess?, act: @escaping () -> Void) {
            (self.due, self.number, self.process, self.act) = (due, number, process, act)
        }
    }

    private let origin = ContinuousClock.now
    private(set) var time = Duration.zero
    private var jumped = Duration.zero
    private(set) var turns = 0
    /// Of all choices so far: equal for runs that went the same way.
    private(set) var trace: UInt64 = 0xcbf2_9ce4_8422_2325
    var random: SeededGenerator
    /// Called before each turn.
    var beforeTurn: (Int) -> Void = { _ in }
    /// What happened, for a seed that is looked at.
    var log: ((String) -> Void)?
    private var ready: [Turn] = []
    private var timers: [Timer] = []
    private var timerCount = 0
    fileprivate var current: SimulatedThread?
    /// Rung by a thread whose turn is over.
    fileprivate let back = DispatchSemaphore(value: 0)
    fileprivate(set) var threadCount = 0

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    var now: ContinuousClock.Instant { origin + time }

    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(number(range)) }

    func note(_ what: @autoclosure () -> String) { log?("\(turns) \(time): \(what())") }

    // MARK: Time

    /// - Parameter process: the one that waits; nothing happens in one that has ended, and a frozen one sees it late.
    @discardableResult
    func after(_ pause: Duration, in process: SimulatedProcess? = nil, _ act: @escaping () -> Void) -> Timer {
        timerCount += 1
        let timer = Timer(due: time + max(pause, .zero), number: timerCount, process: process, act: act)
        let place = timers.lastIndex { $0.due <= timer.due }.map { $0 + 1 } ?? 0
        timers.insert(timer, at: place)
        return timer
    }

    /// Whatever was to happen meanwhile is late.
    func jump(by pause: Duration) {
        time += pause
        jumped += pause
    }

    /// The time without the clock's jumps.
    var passed: Duration { time - jumped }

    /// - Returns: whether there was a timer.
    private func passTime() -> Bool {
        while !timers.isEmpty {
            let timer = timers.removeFirst()
            guard !timer.isCancelled, timer.process?.isDead != true else { continue }
            if let process = timer.process, process.isFrozen {
                process.heldTimers.append(timer)
                continue
            }
            time = max(time, timer.due)
            timer.act()
            return true
        }
        return false
    }

    // MARK: Turns

    func add(_ turn: Turn) { ready.append(turn) }

    func run(until isDone: () -> Bool = { false }, turns limit: Int = 30_000) -> Ending {
        let limit = turns + limit
        while !isDone() {
            guard turns < limit else { return .endless }
            guard !ready.isEmpty else {
                if passTime() { continue }
                return .quiet
            }
            beforeTurn(turns)
            let turn = ready.remove(at: number(0...(ready.count - 1)))
            if turn.process.isFrozen {
                turn.process.heldTurns.append(turn)
                continue
            }
            turns += 1
            trace = (trace ^ UInt64(turn.process.number + 64 * ready.count)) &* 0x0000_0100_0000_01B3
            take(turn)
        }
        return .done
    }

    private func take(_ turn: Turn) {
        switch turn {
        case .job(let job, let process):
            // What a process that was killed had begun stays undone.
            if !process.isDead { unsafe job.runSynchronously(on: process.asUnownedTaskExecutor()) }
        case .thread(let thread):
            current = thread
            thread.go.signal()
            back.wait()
            current = nil
        }
    }
}

/// A thread of a simulated process.
final class SimulatedThread: Sendable {
    let process: SimulatedProcess
    fileprivate let go = DispatchSemaphore(value: 0)

    fileprivate init(_ process: SimulatedProcess) { self.process = process }
}

/// A process of a simulation: its tasks, threads and timers.
final class SimulatedProcess: TaskExecutor, Surroundings, @unchecked Sendable {
    let name: String
    let number: Int
    let simulation: Simulation
    private(set) var isDead = false
    fileprivate(set) var isFrozen = false
    private(set) var freezes = 0
    var wasFrozen: Bool { freezes > 0 }
    /// The generation for whose links one of its threads waits.
    var waitsInGeneration: UInt32?
    /// Makes its threads end, and others notice.
    var atDeath: [() -> Void] = []
    fileprivate var heldTurns: [Simulation.Turn] = []
    fileprivate var heldTimers: [Simulation.Timer] = []

    init(_ name: String, number: Int, in simulation: Simulation) {
        (self.name, self.number, self.simulation) = (name, number, simulation)
    }

    /// SIGKILL: nothing of it runs any more, except that its threads are taken down.
    func kill() {
        guard !isDead else { return }
        thaw()
        isDead = true
        for act in atDeath { act() }
        atDeath = []
    }

    func freeze() {
        isFrozen = true
        freezes += 1
    }

    func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        for turn in heldTurns { simulation.add(turn) }
        let timers = heldTimers.sorted { ($0.due, $0.number) < ($1.due, $1.number) }
        (heldTurns, heldTimers) = ([], [])
        for timer in timers where !timer.isCancelled { simulation.after(.zero, in: self, timer.act) }
    }

    func enqueue(_ job: consuming ExecutorJob) { simulation.add(.job(UnownedJob(job), self)) }

    // MARK: Surroundings

    var now: ContinuousClock.Instant { simulation.now }

    func after(_ pause: Duration, _ body: @escaping @Sendable () -> Void) {
        simulation.after(pause, in: self, body)
    }

    func random(in range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range, using: &simulation.random) }

    func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = SimulatedThread(self)
        simulation.threadCount += 1
        let simulation = simulation
        Thread {
            thread.go.wait()
            body()
            simulation.threadCount -= 1
            simulation.back.signal()
        }.start()
        simulation.add(.thread(thread))
    }

    func makeBell() -> any Bell { SimulatedBell(simulation) }

    func sleep(for pause: Duration) async throws {
        let sleeper = Sleeper()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                sleeper.continuation = continuation
                sleeper.timer = simulation.after(pause, in: self) { sleeper.end(.success(())) }
            }
        } onCancel: {
            sleeper.end(.failure(CancellationError()))
        }
    }

    private final class Sleeper: @unchecked Sendable {
        var continuation: CheckedContinuation<Void, any Error>?
        var timer: Simulation.Timer?

        func end(_ result: Result<Void, any Error>) {
            timer?.isCancelled = true
            continuation?.resume(with: result)
            continuation = nil
        }
    }
}

/// A bell for simulated threads.
final class SimulatedBell: Bell, @unchecked Sendable {
    private let simulation: Simulation
    private var rings = 0
    private var waiting: SimulatedThread?

    init(_ simulation: Simulation) { self.simulation = simulation }

    func ring() {
        guard let thread = waiting else {
            rings += 1
            return
        }
        waiting = nil
        simulation.add(.thread(thread))
    }

    func wait() {
        guard rings == 0 else {
            rings -= 1
            return
        }
        guard let thread = simulation.current else { preconditionFailure("only a simulated thread may wait") }
        waiting = thread
        simulation.back.signal()
        thread.go.wait()
    }

    /// Returns at a ring, or when the time has come.
    func wait(until deadline: ContinuousClock.Instant, in process: SimulatedProcess) {
        let timer = simulation.after(deadline - simulation.now, in: process) { self.ring() }
        wait()
        timer.isCancelled = true
    }
}
