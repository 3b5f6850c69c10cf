internal import Console
internal import Coordination
internal import Foundation
internal import Logging
internal import Processes
internal import Runs
internal import Tracing
internal import Wording

/// Starts the processes of a run, supervises them, passes on signals, and leaves no process running.
///
/// ``JobState`` decides; this is the loop that takes what happens, one after another, and carries the decisions out.
///
/// Children have their own process groups: a terminal's Ctrl-C reaches only this process, which passes it to the
/// coordinator. Their standard input is a pipe that this process keeps open; its end tells them that this process has
/// ended.
struct Supervisor {
    private let coordinator: ChildCommand
    private let resumption: () -> ChildCommand
    private let workers: [ChildCommand]
    private let invocation: Invocation
    private let cleanUp: () -> Void
    private var state: JobState
    private var processes: [JobState.Role: SpawnedProcess] = [:]
    private var hasStarted = false
    private var timers: [(due: ContinuousClock.Instant, timer: JobState.Timer)] = []
    private let events = Mailbox<JobState.Event>()
    /// A terminal or pipe that takes no lines delays only further lines.
    private let news = DispatchQueue(label: "apus launcher news")

    /// - Parameters:
    ///   - resumption: the coordinator's command after a signal has ended it.
    ///   - isPlaced: whether signals reach the coordinator only through its standard input: an engine signals it, too.
    ///   - cleanUp: called before this process exits immediately.
    init(
        coordinator: ChildCommand, resumption: @escaping () -> ChildCommand, workers: [ChildCommand],
        invocation: Invocation, maxRestarts: Int, isPlaced: Bool = false, cleanUp: @escaping () -> Void
    ) {
        self.coordinator = coordinator
        self.resumption = resumption
        self.workers = workers
        self.invocation = invocation
        self.cleanUp = cleanUp
        state = JobState(workers: workers.count, maxRestarts: maxRestarts, isPlaced: isPlaced)
    }

    /// Runs the job to its end.
    /// - Returns: the job's exit status.
    mutating func run() -> Int32 {
        let hangup = SignalSource.isIgnored(SIGHUP) ? [] : [SIGHUP]
        let sources = ([SIGINT, SIGTERM] + hangup).map { number in
            // To a coordinator SIGHUP means its key file.
            SignalSource(number) { [events] in events.put(.signal(number == SIGHUP ? SIGTERM : number)) }
        }
        defer { for source in sources { source.cancel() } }
        var status = perform(state.begin())
        while true {
            if let status { return status }
            let event = next()
            Trace.launcher?.debug("event", metadata: ["event": "\(event)"])
            status = perform(state.handle(event, at: .now))
        }
    }

    /// What happens next.
    private mutating func next() -> JobState.Event {
        let first = timers.indices.min { timers[$0].due < timers[$1].due }
        if let event = events.take(before: first.map { timers[$0].due }) { return event }
        guard let first else { preconditionFailure("a wait without a deadline has ended") }
        return .due(timers.remove(at: first).timer)
    }

    /// - Returns: the job's exit status once it is over.
    private mutating func perform(_ actions: [JobState.Action]) -> Int32? {
        for action in actions {
            Trace.launcher?.debug("action", metadata: ["action": "\(action)"])
            switch action {
            case .start(let role):
                do throws(RunError) {
                    try start(role)
                    events.put(.started(role))
                } catch {
                    events.put(.notStarted(role, reason: "\(error)"))
                }
            case .send(let signal, let role): processes[role]?.send(signal)
            case .tell(let role, let word): try? processes[role]?.input.write(contentsOf: LauncherPipe.bytes(of: word))
            case .wait(let timer, let time): timers.append((.now + time, timer))
            case .say(let event): say(event)
            case .sayAll: news.async { [events] in events.put(.said) }
            case .finish(let status): return status
            case .exit(let status):
                cleanUp()
                sayBeforeEnd("ended at once, without a checkpoint of this step")
                _exit(status)
            }
        }
        return nil
    }

    private func say(_ event: JobNews) {
        let line = event.line(places: workers.map(\.place)) {
            resumption().resumes
                ? "resume with \(invocation.resumeCommand ?? "--resume")" : "nothing is done yet, start the run again"
        }
        news.async { sayToUser(line) }
    }

    private mutating func start(_ role: JobState.Role) throws(RunError) {
        let command: ChildCommand
        switch role {
        case .coordinator: command = hasStarted ? resumption() : coordinator
        case .worker(let number): command = workers[number]
        }
        hasStarted = true
        let environment = ProcessInfo.processInfo.environment.merging(invocation.handedDown) { $1 }
        let words = DispatchGroup()
        words.enter()
        let process: SpawnedProcess
        do throws(RunError) {
            process = try SpawnedProcess(
                command.executable, command.arguments, environment: environment,
                output: role == .coordinator ? .inherited : .joined
            ) { [events] end in
                // Its last output is passed on before its end is reported; a child of its own may keep the pipe open.
                _ = words.wait(timeout: .now() + .seconds(1))
                events.put(.ended(role, end))
            }
        } catch {
            words.leave()
            throw error
        }
        if case .worker(let number) = role, let output = process.output {
            Self.passOn(output, prefix: "[\(number)] ", words)
        } else {
            words.leave()
        }
        processes[role] = process
        try? process.input.write(contentsOf: command.opening)
    }

    /// Passes on a worker's output, each line with the worker's number.
    private static func passOn(_ output: FileHandle, prefix: String, _ words: DispatchGroup) {
        Thread {
            output.readLines { line in Screen.shared.say(prefix + String(decoding: line, as: UTF8.self), on: .errors) }
            words.leave()
        }.start()
    }
}
