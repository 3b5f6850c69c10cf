internal import Foundation
internal import Synchronization
internal import Wording

/// Applies the faults of a plan to a running job, each at its time, on a separate thread.
final class Strikes: Sendable {
    private let strikes: [ChaosPlan.Strike]
    private let progress: RunProgressFile
    private let processes: @Sendable () -> [JobProcess]
    private let state = Mutex(State())
    private let threads = DispatchGroup()

    private struct State {
        var done: [String] = []
        var killedEverything = false
    }

    /// - Parameter processes: the job's processes at present, oldest first; none once it has ended.
    init(_ strikes: [ChaosPlan.Strike], at progress: RunProgressFile, processes: @escaping @Sendable () -> [JobProcess])
    {
        self.strikes = strikes
        self.progress = progress
        self.processes = processes
    }

    /// Descriptions of the faults so far.
    var done: [String] { state.withLock { $0.done } }
    var killedEverything: Bool { state.withLock { $0.killedEverything } }

    func begin() {
        inThread { [self] in
            for strike in strikes {
                guard let seen = wait(for: strike.moment) else { return }
                carryOut(strike, seen)
            }
        }
    }

    /// Returns after the last fault, or when the job has ended.
    func join() { threads.wait() }

    private func inThread(_ body: @escaping @Sendable () -> Void) {
        threads.enter()
        Thread { [threads] in
            body()
            threads.leave()
        }.start()
    }

    // MARK: Moments

    /// - Returns: the job's processes, as they were shortly before the time; nil if the job ended before.
    private func wait(for moment: ChaosPlan.Moment) -> [JobProcess]? {
        switch moment {
        case .afterStep(let step, let delay):
            guard poll(every: 2_000, until: { progress.step >= step }) else { return nil }
            pause(delay)
            return processes()
        case .afterPrevious(let delay):
            pause(delay)
            return processes()
        case .inCheckpoint(let step, let delay):
            guard poll(every: 2_000, until: { progress.step >= step }) else { return nil }
            // Looked up in advance: a checkpoint of a small model takes less time than the look-up.
            let found = processes()
            guard poll(every: 100, until: { progress.unfinishedCheckpoint != nil }) else { return nil }
            pause(delay)
            return found
        }
    }

    private func poll(every microseconds: UInt32, until condition: () -> Bool) -> Bool {
        var turns = 0
        while !condition() {
            usleep(microseconds)
            turns += 1
            if turns % 100 == 0, processes().isEmpty { return false }
        }
        return true
    }

    private func pause(_ delay: Duration) { usleep(UInt32(max(0, delay.seconds * 1e6))) }

    // MARK: Deeds

    private func carryOut(_ strike: ChaosPlan.Strike, _ all: [JobProcess]) {
        let step = progress.step
        func note(_ words: String) { state.withLock { $0.done.append("\(words) at step \(step)") } }
        func worker() -> (process: JobProcess, name: String)? {
            let workers = all.filter { $0.role == .worker || $0.role == .session }
            guard !workers.isEmpty else { return nil }
            let chosen = workers[strike.choice % workers.count]
            return (chosen, chosen.role == .session ? "the ssh session of a worker" : "a worker")
        }
        let coordinator = all.first { $0.role == .coordinator }
        switch strike.deed {
        case .kill: if let (process, name) = worker(), process.send(SIGKILL) { note("killed \(name)") }
        case .end: if let (process, name) = worker(), process.send(SIGTERM) { note("ended \(name)") }
        case .freeze(let time):
            if let (process, name) = worker(), process.send(SIGSTOP) {
                note("froze \(name) for \(decimal(time.seconds, 1)) s")
                wake(process, after: time)
            }
        case .slow(let stops, let time):
            if let (process, name) = worker() {
                note("slowed \(name) by \(stops) stops of \(decimal(time.seconds, 2)) s")
                inThread { Self.slow(process, stops: stops, time) }
            }
        case .killCoordinator: if coordinator?.send(SIGKILL) == true { note("killed the coordinator") }
        case .freezeCoordinator(let time):
            if let coordinator, coordinator.send(SIGSTOP) {
                note("froze the coordinator for \(decimal(time.seconds, 1)) s")
                wake(coordinator, after: time)
            }
        case .cut(let links, let times, let pause):
            if let (process, name) = worker() { cut(links, of: process, named: name, times: times, pause, note) }
        case .cutCoordinator(let links, let times, let pause):
            if let coordinator { cut(links, of: coordinator, named: "the coordinator", times: times, pause, note) }
        case .killEverything:
            guard !all.isEmpty else { return }
            // The launcher first, so that it cannot replace the others.
            for process in all.filter({ $0.role == .launcher }) + all.filter({ $0.role != .launcher }) {
                process.send(SIGKILL)
            }
            while case let rest = processes(), !rest.isEmpty { for process in rest { process.send(SIGKILL) } }
            note(
                "killed everything ("
                    + (progress.unfinishedCheckpoint.map { "\($0) unfinished" } ?? "no checkpoint unfinished") + ")"
            )
            state.withLock { $0.killedEverything = true }
        }
    }

    /// Cuts a process's connections, each time those that exist by then.
    private func cut(
        _ links: ChaosPlan.Links, of process: JobProcess, named name: String, times: Int, _ pause: Duration,
        _ note: (String) -> Void
    ) {
        var count = 0
        for turn in 0..<times {
            if turn > 0 { self.pause(pause) }
            count += process.cut(links)
        }
        let kind =
            switch links {
            case .control: "control ";
            case .data: "data ";
            case .all: ""
            }
        note(count > 0 ? "cut \(count) \(kind)connections of \(name)" : "found no \(kind)connection of \(name) to cut")
    }

    private func wake(_ process: JobProcess, after time: Duration) {
        inThread {
            usleep(UInt32(time.seconds * 1e6))
            process.send(SIGCONT)
        }
    }

    private static func slow(_ process: JobProcess, stops: Int, _ time: Duration) {
        let microseconds = UInt32(time.seconds * 1e6)
        for _ in 0..<stops {
            guard process.send(SIGSTOP) else { return }
            usleep(microseconds)
            process.send(SIGCONT)
            usleep(microseconds)
        }
    }
}
