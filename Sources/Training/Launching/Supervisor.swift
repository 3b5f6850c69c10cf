internal import Foundation
internal import Synchronization

/// A process that a launcher starts and watches over.
struct ChildCommand: Sendable {
    let executable: String
    let arguments: [String]
    /// Written to its standard input first, which then stays open.
    var opening: Data
    /// Where it runs, as messages say it: empty, or ` on HOST`.
    var place = ""
}

/// Starts the processes of a run, watches over them, passes signals on, and leaves nothing running.
///
/// Children live in process groups of their own: a terminal's Ctrl-C reaches this process alone, which passes it to the
/// coordinator. Their standard input is a pipe that this process holds open; its end tells them that it is gone.
final class Supervisor: Sendable {
    private let maxRestarts: Int
    private let cleanUp: @Sendable () -> Void
    private let children = Mutex<[Child]>([])
    private let coordinatorEnded = DispatchSemaphore(value: 0)
    private let isEnding = Atomic(false)
    private let signals = Atomic(0)
    /// Status of a worker that could not begin, which makes the job pointless; 0 for none.
    private let refusal = Atomic<Int32>(0)
    /// Workers that are not replaced again.
    private let givenUp = Atomic(0)
    private let resumption = Mutex<@Sendable () -> ChildCommand?>({ nil })

    private struct Child: @unchecked Sendable {  // Touched only under the lock, or after its end.
        let process: Process
        let input: FileHandle
        /// Nil for the coordinator.
        let worker: Int?
    }

    /// - Parameter cleanUp: what is left to do before this process ends at once.
    init(maxRestarts: Int, cleanUp: @escaping @Sendable () -> Void) {
        self.maxRestarts = maxRestarts
        self.cleanUp = cleanUp
    }

    /// Runs the job to its end.
    ///
    /// - Parameter resumption: starts the coordinator again after a signal has ended it; nil where there is nothing to go on with.
    /// - Returns: the job's exit status.
    func run(
        coordinator: ChildCommand, resumption: @escaping @Sendable () -> ChildCommand?, workers: [ChildCommand]
    ) throws -> Int32 {
        self.resumption.withLock { $0 = resumption }
        listen()
        _ = try start(coordinator, worker: nil)
        for (number, command) in workers.enumerated() { _ = try start(command, worker: number) }
        coordinatorEnded.wait()
        guard let job = children.withLock({ $0.last { $0.worker == nil }?.process }) else { return 1 }
        isEnding.store(true, ordering: .sequentiallyConsistent)
        let refused = refusal.load(ordering: .relaxed)
        // With status 2 the job ended before any work: nobody has anything to finish.
        let hasWorked = refused == 0 && !(job.terminationReason == .exit && job.terminationStatus == 2)
        endWorkers(within: hasWorked ? .seconds(5) : .zero)
        if refused != 0 { return refused }
        return job.terminationReason == .uncaughtSignal ? 128 + job.terminationStatus : job.terminationStatus
    }

    private func start(_ command: ChildCommand, worker: Int?) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command.executable)
        process.arguments = command.arguments
        var environment = ProcessInfo.processInfo.environment
        environment["APUS_COMMAND"] = commandLine
        environment["APUS_PROGRAM"] = CommandLine.arguments.first
        process.environment = environment
        let input = Pipe()
        process.standardInput = input
        if let worker { prefixed(process, "[\(worker)] ") }
        process.terminationHandler = { [self] process in ended(process, command, worker: worker) }
        do { try process.run() } catch { throw RunError("\(command.executable) cannot be started: \(error.localizedDescription)") }
        let child = Child(process: process, input: input.fileHandleForWriting, worker: worker)
        children.withLock { $0.append(child) }
        try? child.input.write(contentsOf: command.opening)
        return process
    }

    /// Passes a worker's output on, each line with its number.
    private func prefixed(_ process: Process, _ prefix: String) {
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        let reader = Thread {
            var rest: [UInt8] = []
            func pass(_ line: some Sequence<UInt8>) { try? FileHandle.standardError.write(contentsOf: Data(Array(prefix.utf8) + line)) }
            while let data = try? pipe.fileHandleForReading.read(upToCount: 1 << 14), !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 0x0A) {
                    pass(rest[...end])
                    rest.removeSubrange(...end)
                }
            }
            if !rest.isEmpty { pass(rest + [0x0A]) }
        }
        reader.start()
    }

    /// A child has ended: the coordinator's end is the job's; a worker's is made good as often as allowed.
    private func ended(_ process: Process, _ command: ChildCommand, worker: Int?) {
        guard let worker else {
            if !restartCoordinator(process) { coordinatorEnded.signal() }
            return
        }
        guard !isEnding.load(ordering: .sequentiallyConsistent), process.terminationStatus != 0 || process.terminationReason == .uncaughtSignal else { return }
        let name = "worker \(worker)\(command.place)"
        let how = process.terminationReason == .uncaughtSignal ? "was ended by signal \(process.terminationStatus)" : "ended with status \(process.terminationStatus)"
        let restarts = children.withLock { children in children.count { $0.worker == worker } } - 1
        if process.terminationReason == .exit, process.terminationStatus == 2 {
            // It said why it cannot take part; nor could its replacement.
            sayToUser("\(name) cannot take part\(restarts == 0 ? ": the job ends" : " and is not replaced")")
            if restarts == 0 { endJob(2) } else { giveUpWorker() }
            return
        }
        guard restarts < maxRestarts else {
            sayToUser("\(name) \(how); it was replaced \(restarts) times and is not replaced again (--max-restarts)")
            giveUpWorker()
            return
        }
        sayToUser("\(name) \(how); a replacement starts")
        let pause = DispatchTimeInterval.milliseconds(restarts == 0 ? 0 : 500 << min(restarts, 6))
        DispatchQueue.global().asyncAfter(deadline: .now() + pause) { [self] in
            guard !isEnding.load(ordering: .sequentiallyConsistent) else { return }
            do { _ = try start(command, worker: worker) } catch {
                sayToUser("\(error)")
                giveUpWorker()
            }
        }
    }

    /// Tells the coordinator that there is one worker less to wait for.
    private func giveUpWorker() {
        givenUp.add(1, ordering: .relaxed)
        let coordinator = children.withLock { $0.last { $0.worker == nil } }
        try? coordinator?.input.write(contentsOf: Data([0x0A]))
    }

    /// Starts the coordinator again where a signal that nobody here sent has ended it; the workers wait for it meanwhile.
    private func restartCoordinator(_ process: Process) -> Bool {
        let wasKilled = process.terminationReason == .uncaughtSignal && signals.load(ordering: .relaxed) == 0
        guard wasKilled, refusal.load(ordering: .relaxed) == 0, !isEnding.load(ordering: .sequentiallyConsistent) else { return false }
        let how = "the coordinator was ended by signal \(process.terminationStatus)"
        let restarts = children.withLock { children in children.count { $0.worker == nil } } - 1
        guard restarts < maxRestarts, let command = resumption.withLock({ $0 })() else {
            sayToUser("\(how): go on from the newest checkpoint with --resume")
            return false
        }
        sayToUser("\(how); it starts again from the newest checkpoint")
        do {
            var again = command
            again.opening += Data(repeating: 0x0A, count: givenUp.load(ordering: .relaxed))
            _ = try start(again, worker: nil)
        } catch {
            sayToUser("\(error)")
            return false
        }
        return true
    }

    /// Ends a job that cannot begin.
    private func endJob(_ status: Int32) {
        refusal.store(status, ordering: .relaxed)
        children.withLock { children in
            for child in children where child.worker == nil && child.process.isRunning { kill(child.process.processIdentifier, SIGKILL) }
        }
    }

    /// Workers leave when the coordinator says so; those that do not are told to end at once, and then ended.
    private func endWorkers(within grace: Duration) {
        let workers = children.withLock { $0.filter { $0.worker != nil } }
        waitForEnd(of: workers, within: grace)
        tellToEnd(workers)
        waitForEnd(of: workers, within: .seconds(2))
        for child in workers where child.process.isRunning { kill(child.process.processIdentifier, SIGKILL) }
        for child in workers { child.process.waitUntilExit() }
    }

    /// A byte on its standard input ends a worker wherever it runs.
    private func tellToEnd(_ workers: [Child]) {
        for child in workers where child.process.isRunning { try? child.input.write(contentsOf: Data([0x0A])) }
    }

    private func waitForEnd(of workers: [Child], within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        while workers.contains(where: \.process.isRunning), ContinuousClock.now < deadline { usleep(20_000) }
    }

    // MARK: Signals

    private func listen() {
        for number in [SIGINT, SIGTERM] {
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in passOn(number, source) }
            source.resume()
        }
    }

    /// The first signal asks the coordinator to end after a checkpoint; a second one ends everything at once.
    private func passOn(_ number: Int32, _ source: any DispatchSourceSignal) {
        let isSecond = signals.add(1, ordering: .relaxed).newValue > 1
        let all = children.withLock { $0 }
        guard isSecond else {
            for child in all where child.worker == nil && child.process.isRunning { kill(child.process.processIdentifier, number) }
            return
        }
        isEnding.store(true, ordering: .sequentiallyConsistent)
        let workers = all.filter { $0.worker != nil }
        tellToEnd(workers)
        waitForEnd(of: workers, within: .milliseconds(500))
        for child in all where child.process.isRunning { kill(child.process.processIdentifier, SIGKILL) }
        cleanUp()
        _exit(128 + number)
    }
}
