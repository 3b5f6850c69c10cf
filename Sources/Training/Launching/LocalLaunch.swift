internal import Foundation
internal import Synchronization

/// A coordinator and workers on this machine, as children of this process.
///
/// Children live in process groups of their own: a terminal's Ctrl-C reaches this process alone, which passes it to the
/// coordinator. Their standard input is a pipe that this process holds open; its end tells them that it is gone.
package final class LocalLaunch: Sendable {
    private let options: LaunchOptions
    private let workers: Int
    private let threads: Int
    private let folder: String
    private let children = Mutex<[Child]>([])
    private let coordinatorEnded = DispatchSemaphore(value: 0)
    private let isEnding = Atomic(false)
    private let signals = Atomic(0)

    private struct Child: @unchecked Sendable {  // Touched only under the lock, or after its end.
        let process: Process
        /// Nil for the coordinator.
        let worker: Int?
        var restarts = 0
    }

    package init(_ options: LaunchOptions, cores: Int) throws {
        self.options = options
        workers = options.workers ?? max(cores / 8, min(2, cores))
        threads = options.threadsGiven ? options.configuration.threads : max(1, cores / workers)
        folder = try Self.privateFolder()
    }

    private static func privateFolder() throws -> String {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        let path = "\(base)/apus-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RunError("\(path) cannot be made (\(error.localizedDescription)): set TMPDIR to a folder of yours")
        }
        return path
    }

    /// Starts everything, watches over it, and leaves nothing running.
    /// - Returns: the exit status of the job.
    package func run() throws -> Int32 {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = options.configuration
        configuration.threads = threads
        let file = folder + "/config.yaml"
        try ConfigurationFile.write(configuration, to: file)
        let endpoint = "ipc://\(folder)/control"
        listen()
        let coordinator = try start(
            ["coordinate", "--workers", String(workers), "--endpoint", endpoint, "--config", file], worker: nil)
        do {
            for worker in 0..<workers { _ = try start(workArguments(endpoint), worker: worker) }
        } catch {
            coordinator.terminate()
            coordinatorEnded.wait()
            endWorkers(atOnce: true)
            throw error
        }
        coordinatorEnded.wait()
        isEnding.store(true, ordering: .sequentiallyConsistent)
        endWorkers(atOnce: coordinator.terminationReason == .uncaughtSignal || coordinator.terminationStatus != 0)
        return coordinator.terminationReason == .uncaughtSignal ? 128 + coordinator.terminationStatus : coordinator.terminationStatus
    }

    private func workArguments(_ endpoint: String) -> [String] { ["work", "--coordinator", endpoint, "--threads", String(threads)] }

    private func start(_ arguments: [String], worker: Int?) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["APUS_LAUNCHER"] = String(getpid())
        environment["APUS_COMMAND"] = commandLine
        process.environment = environment
        process.standardInput = Pipe()
        if let worker { prefixed(process, "[\(worker)] ") }
        process.terminationHandler = { [self] process in ended(process, arguments: arguments, worker: worker) }
        do { try process.run() } catch { throw RunError("\(arguments[0]) cannot be started: \(error.localizedDescription)") }
        let child = Child(process: process, worker: worker)
        children.withLock { $0.append(child) }
        return process
    }

    /// Passes a worker's output on, each line with its number.
    private func prefixed(_ process: Process, _ prefix: String) {
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        let reader = Thread {
            var rest: [UInt8] = []
            while let data = try? pipe.fileHandleForReading.read(upToCount: 1 << 14), !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 0x0A) {
                    let line = Array(prefix.utf8) + rest[...end]
                    try? FileHandle.standardError.write(contentsOf: Data(line))
                    rest.removeSubrange(...end)
                }
            }
        }
        reader.start()
    }

    /// A child has ended: the coordinator's end is the job's; a worker's is made good as often as allowed.
    private func ended(_ process: Process, arguments: [String], worker: Int?) {
        guard let worker else {
            coordinatorEnded.signal()
            return
        }
        guard !isEnding.load(ordering: .sequentiallyConsistent), process.terminationStatus != 0 || process.terminationReason == .uncaughtSignal else { return }
        let restarts = children.withLock { children in children.count { $0.worker == worker } } - 1
        let how = process.terminationReason == .uncaughtSignal ? "was ended by signal \(process.terminationStatus)" : "ended with status \(process.terminationStatus)"
        guard restarts < options.configuration.maxRestarts else {
            say("worker \(worker) \(how); it was replaced \(restarts) times and is not replaced again (--max-restarts)")
            tellCoordinator(LauncherPipe.givenUp)
            return
        }
        say("worker \(worker) \(how); a replacement starts")
        let pause = DispatchTimeInterval.milliseconds(restarts == 0 ? 0 : 500 << restarts)
        DispatchQueue.global().asyncAfter(deadline: .now() + pause) { [self] in
            guard !isEnding.load(ordering: .sequentiallyConsistent) else { return }
            do { _ = try start(arguments, worker: worker) } catch {
                say("\(error)")
                tellCoordinator(LauncherPipe.givenUp)
            }
        }
    }

    private func tellCoordinator(_ byte: UInt8) {
        let coordinator = children.withLock { $0.first { $0.worker == nil }?.process }
        try? (coordinator?.standardInput as? Pipe)?.fileHandleForWriting.write(contentsOf: [byte])
    }

    private func say(_ line: String) { try? FileHandle.standardError.write(contentsOf: Data("apus: \(line)\n".utf8)) }

    /// Workers leave when the coordinator says so; those that do not are ended.
    /// - Parameter atOnce: whether the coordinator may have said nothing.
    private func endWorkers(atOnce: Bool) {
        let workers = children.withLock { $0.filter { $0.worker != nil }.map(\.process) }
        if atOnce { for process in workers where process.isRunning { process.terminate() } }
        let deadline = ContinuousClock.now + .seconds(5)
        while workers.contains(where: \.isRunning), ContinuousClock.now < deadline { usleep(20_000) }
        for process in workers where process.isRunning { kill(process.processIdentifier, SIGKILL) }
        for process in workers { process.waitUntilExit() }
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
        children.withLock { children in
            for child in children where child.process.isRunning && (isSecond || child.worker == nil) {
                kill(child.process.processIdentifier, isSecond ? SIGKILL : number)
            }
        }
        if isSecond {
            try? FileManager.default.removeItem(atPath: folder)
            _exit(128 + number)
        }
    }
}
