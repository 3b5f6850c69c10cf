internal import Checkpoints
internal import Foundation
internal import Synchronization

/// A process that a launcher starts and supervises.
struct ChildCommand: Sendable {
    let executable: String
    let arguments: [String]
    /// Written to its standard input first, which stays open.
    let opening: Data
    /// Where it runs, for messages: empty, or ` on HOST`.
    var place = ""
    /// Whether it resumes the run in its folder.
    var resumes = false
}

/// Starts the processes of a run, supervises them, passes on signals, and leaves no process running.
///
/// Children have their own process groups: a terminal's Ctrl-C reaches only this process, which passes it to the
/// coordinator. Their standard input is a pipe that this process keeps open; its end tells them that this process has
/// ended.
final class Supervisor: Sendable {
    private let maxRestarts: Int
    /// By worker; nil for the coordinator.
    private let restarts = Mutex<[Int?: RestartPolicy]>([:])
    /// Workers that will not be replaced any more.
    private let givenUp = Mutex(0)
    /// Whether signals reach the coordinator only through its standard input: an engine signals it, too.
    private let isPlaced: Bool
    private let cleanUp: @Sendable () -> Void
    private let children = Mutex<[Child]>([])
    private let coordinatorEnded = DispatchSemaphore(value: 0)
    private let coordinatorsEnd = Mutex(SpawnedProcess.End.status(1))
    private let isEnding = Atomic(false)
    private let signals = Mutex(StopSignals())
    /// The first signal that asked to stop; 0 before.
    private let firstSignal = Atomic<Int32>(0)
    private let sources = Mutex<[SignalSource]>([])
    /// Status of a worker that could not start, which makes the job pointless; 0 for none.
    private let refusal = Atomic<Int32>(0)
    /// The second stop signal, which ends everything at once; 0 for none.
    private let urgentSignal = Atomic<Int32>(0)
    private let resumption = Mutex<@Sendable () -> ChildCommand?>({ nil })

    private struct Child: Sendable {
        let process: SpawnedProcess
        /// Nil for the coordinator.
        let worker: Int?
    }

    /// - Parameter cleanUp: called before this process exits immediately.
    init(maxRestarts: Int, isPlaced: Bool = false, cleanUp: @escaping @Sendable () -> Void) {
        self.maxRestarts = maxRestarts
        self.isPlaced = isPlaced
        self.cleanUp = cleanUp
    }

    /// Runs the job to its end.
    ///
    /// - Parameter resumption: restarts the coordinator after a signal has ended it; nil if there is nothing to resume.
    /// - Returns: the job's exit status.
    func run(
        coordinator: ChildCommand, resumption: @escaping @Sendable () -> ChildCommand?, workers: [ChildCommand]
    ) throws -> Int32 {
        self.resumption.withLock { $0 = resumption }
        listen()
        defer { for source in sources.withLock({ $0 }) { source.cancel() } }
        _ = try start(coordinator, worker: nil)
        do {
            for (number, command) in workers.enumerated() { _ = try start(command, worker: number) }
        } catch {
            endJob(1)
            coordinatorEnded.wait()
            endWorkers(within: .zero)
            throw error
        }
        coordinatorEnded.wait()
        let end = coordinatorsEnd.withLock { $0 }
        isEnding.store(true, ordering: .sequentiallyConsistent)
        let refused = refusal.load(ordering: .relaxed)
        // With status 2 the job ended before any work: no process has anything to finish.
        let hasWorked = refused == 0 && end != .status(2)
        endWorkers(within: hasWorked ? .seconds(5) : .zero)
        // A second signal may have ended the coordinator with the others; then that signal ended the job.
        let urgent = urgentSignal.load(ordering: .sequentiallyConsistent)
        if urgent != 0 { return 128 + urgent }
        // The same holds if the first signal came between the coordinator's crash and its restart.
        let stopped = firstSignal.load(ordering: .sequentiallyConsistent)
        if stopped != 0, refused == 0, case .signal = end { return 128 + stopped }
        return refused != 0 ? refused : end.shellStatus
    }

    private func start(_ command: ChildCommand, worker: Int?) throws -> SpawnedProcess {
        var environment = ProcessInfo.processInfo.environment
        environment["APUS_COMMAND"] = commandLine
        environment["APUS_PROGRAM"] = CommandLine.arguments.first
        let words = DispatchGroup()
        words.enter()
        let process: SpawnedProcess
        do {
            process = try SpawnedProcess(
                command.executable, command.arguments, environment: environment,
                output: worker == nil ? .inherited : .joined
            ) { [self] end in
                // Its last output is passed on before its end is reported; a child of its own may keep the pipe open.
                _ = words.wait(timeout: .now() + .seconds(1))
                ended(end, command, worker: worker)
            }
        } catch {
            words.leave()
            throw error
        }
        if let worker, let output = process.output {
            Self.passOn(output, prefix: "[\(worker)] ", words)
        } else {
            words.leave()
        }
        // Together, so that each abandoned worker is reported once, and after the opening lines.
        givenUp.withLock { lost in
            children.withLock { children in
                children.removeAll { !$0.process.isRunning }
                children.append(Child(process: process, worker: worker))
            }
            let news = Data(repeating: LauncherPipe.givenUp, count: worker == nil ? lost : 0)
            try? process.input.write(contentsOf: command.opening + news)
        }
        return process
    }

    /// Passes on a worker's output, each line with the worker's number.
    private static func passOn(_ output: FileHandle, prefix: String, _ words: DispatchGroup) {
        Thread {
            output.readLines { line in Screen.shared.say(prefix + String(decoding: line, as: UTF8.self), on: .errors) }
            words.leave()
        }.start()
    }

    /// A child has ended: the coordinator's end is the job's; a worker is replaced as often as allowed.
    private func ended(_ end: SpawnedProcess.End, _ command: ChildCommand, worker: Int?) {
        guard let worker else {
            coordinatorsEnd.withLock { $0 = end }
            if !restartCoordinator(end) { coordinatorEnded.signal() }
            return
        }
        guard !isEnding.load(ordering: .sequentiallyConsistent), end != .status(0) else { return }
        let name = "worker \(worker)\(command.place)"
        let how =
            switch end {
            case .signal(let number): "was ended by signal \(number)"
            case .status(let status): "ended with status \(status)"
            }
        if end == .status(2) {
            // It reported why it cannot take part; a replacement could not either.
            let isFirst = restarts.withLock { $0[worker] == nil }
            sayToUser("\(name) cannot take part\(isFirst ? ": the job ends" : " and is not replaced")")
            if isFirst { endJob(2) } else { giveUp() }
            return
        }
        switch decision(on: worker) {
        case .giveUp(let count):
            sayToUser(
                "\(name) \(how); it was replaced \(count) times within 10 minutes and is not replaced again "
                    + "(--max-restarts)"
            )
            giveUp()
        case .restart(let pause):
            sayToUser("\(name) \(how); a replacement starts\(pause > .zero ? " in \(Int(pause.seconds)) s" : "")")
            DispatchQueue.global().asyncAfter(deadline: .now() + pause.seconds) { [self] in
                guard !isEnding.load(ordering: .sequentiallyConsistent) else { return }
                do { _ = try start(command, worker: worker) } catch {
                    sayToUser("\(error)")
                    giveUp()
                }
            }
        }
    }

    private func decision(on worker: Int?) -> RestartPolicy.Decision {
        restarts.withLock { $0[worker, default: RestartPolicy(limit: maxRestarts)].died(at: .now) }
    }

    /// Restarts the coordinator if a signal from elsewhere has ended it; the workers wait for it.
    private func restartCoordinator(_ end: SpawnedProcess.End) -> Bool {
        guard case .signal(let number) = end, firstSignal.load(ordering: .sequentiallyConsistent) == 0,
            refusal.load(ordering: .relaxed) == 0,
            !isEnding.load(ordering: .sequentiallyConsistent)
        else { return false }
        let how = "the coordinator was ended by signal \(number)"
        let next = resumption.withLock { $0 }()
        guard case .restart(let pause) = decision(on: nil), let command = next else {
            let remedy =
                next?.resumes == false
                ? "nothing is done yet, start the run again" : "resume with \(ResumeCommand.handedOver ?? "--resume")"
            sayToUser("\(how): \(remedy)")
            return false
        }
        sayToUser("\(how); it restarts\(pause > .zero ? " in \(Int(pause.seconds)) s" : "")")
        DispatchQueue.global().asyncAfter(deadline: .now() + pause.seconds) { [self] in
            do {
                guard firstSignal.load(ordering: .sequentiallyConsistent) == 0, refusal.load(ordering: .relaxed) == 0,
                    !isEnding.load(ordering: .sequentiallyConsistent)
                else {
                    coordinatorEnded.signal()
                    return
                }
                _ = try start(command, worker: nil)
                // Signals in the meantime did not reach a coordinator.
                let (signal, status) = (
                    firstSignal.load(ordering: .sequentiallyConsistent), refusal.load(ordering: .relaxed)
                )
                if status != 0 { endJob(status) } else if signal != 0 { askToStop(signal) }
            } catch {
                sayToUser("\(error)")
                coordinatorEnded.signal()
            }
        }
        return true
    }

    /// Tells this coordinator and its successors that one of the requested workers will not join.
    private func giveUp() {
        givenUp.withLock { lost in
            lost += 1
            let coordinator = children.withLock { $0.last { $0.worker == nil } }
            try? coordinator?.process.input.write(contentsOf: Data([LauncherPipe.givenUp]))
        }
    }

    /// Makes the coordinator end the run after a checkpoint.
    private func askToStop(_ signal: Int32) {
        if isPlaced, let word = LauncherPipe.stop[signal] {
            let coordinator = children.withLock { $0.last { $0.worker == nil } }
            try? coordinator?.process.input.write(contentsOf: Data([word]))
            return
        }
        let coordinators = children.withLock { $0.filter { $0.worker == nil } }
        for child in coordinators where child.process.isRunning { child.process.send(signal) }
    }

    /// Ends a job that cannot start; the coordinator dismisses workers elsewhere.
    private func endJob(_ status: Int32) {
        refusal.store(status, ordering: .relaxed)
        if isPlaced { return askToStop(SIGTERM) }
        children.withLock { children in
            for child in children where child.worker == nil && child.process.isRunning { child.process.send(SIGKILL) }
        }
    }

    /// Workers leave when the coordinator dismisses them; those that do not are told to end at once, then killed.
    private func endWorkers(within grace: Duration) {
        let workers = children.withLock { $0.filter { $0.worker != nil } }
        waitForEnd(of: workers, within: grace)
        tellToEnd(workers)
        waitForEnd(of: workers, within: .seconds(2))
        for child in workers where child.process.isRunning { child.process.send(SIGKILL) }
        for child in workers { _ = child.process.end(before: .distantFuture) }
    }

    /// A byte on its standard input ends a worker on any host.
    private func tellToEnd(_ workers: [Child]) {
        for child in workers where child.process.isRunning { try? child.process.input.write(contentsOf: Data([0x0A])) }
    }

    private func waitForEnd(of workers: [Child], within limit: Duration) {
        let deadline = ContinuousClock.now + limit
        while workers.contains(where: \.process.isRunning), ContinuousClock.now < deadline { usleep(20_000) }
    }

    // MARK: Signals

    private func listen() {
        let hangup = SignalSource.isIgnored(SIGHUP) ? [] : [SIGHUP]
        let listening = ([SIGINT, SIGTERM] + hangup).map { number in
            // To a coordinator SIGHUP means its key file.
            SignalSource(number) { [self] in passOn(number == SIGHUP ? SIGTERM : number) }
        }
        sources.withLock { $0 = listening }
    }

    /// The first signal asks the coordinator to end after a checkpoint; a second one ends everything at once.
    private func passOn(_ number: Int32) {
        switch signals.withLock({ $0.receive(at: .now) }) {
        case .repeated: return
        case .stop:
            firstSignal.store(number, ordering: .sequentiallyConsistent)
            return askToStop(number)
        case .endAtOnce: break
        }
        let all = children.withLock { $0 }
        urgentSignal.store(number, ordering: .sequentiallyConsistent)
        isEnding.store(true, ordering: .sequentiallyConsistent)
        let workers = all.filter { $0.worker != nil }
        tellToEnd(workers)
        waitForEnd(of: workers, within: .milliseconds(500))
        for child in all where child.process.isRunning { child.process.send(SIGKILL) }
        waitForEnd(of: all, within: .milliseconds(500))
        cleanUp()
        sayBeforeEnd("ended at once, without a checkpoint of this step")
        _exit(128 + number)
    }
}
