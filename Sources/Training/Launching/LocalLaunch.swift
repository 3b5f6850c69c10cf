internal import Foundation

/// A coordinator and workers on this machine, as children of this process; nothing listens on a network.
struct LocalLaunch {
    private let options: LaunchOptions
    private let workers: Int
    private let threads: Int

    init(_ options: LaunchOptions, cores: Int) {
        self.options = options
        // Threads that were asked for are no reason for more of them in all than there are cores.
        let fitting = options.threadsGiven ? max(1, cores / options.configuration.threads) : cores
        workers = options.workers ?? min(max(cores / 8, min(2, cores)), fitting)
        threads = options.threadsGiven ? options.configuration.threads : max(1, cores / workers)
    }

    /// - Returns: the exit status of the job.
    func run() throws -> Int32 {
        let folder = try PrivateFolder()
        defer { folder.remove() }
        var configuration = options.configuration
        configuration.threads = threads
        let file = folder.path + "/config.yaml"
        try ConfigurationFile.write(configuration, to: file)
        let endpoint = "ipc://\(folder.path)/control"
        let opening = LauncherPipe.opening(nil)
        let program = ownProgram()
        let coordinator = ChildCommand(
            executable: program,
            arguments: ["coordinate", "--launched", "--workers", String(workers), "--endpoint", endpoint, "--config", file]
                + (options.isBrief ? ["--brief"] : []),
            opening: opening)
        let resumption = Resumption(configuration, folder: folder)
        let commands = (0..<workers).map { number in
            ChildCommand(
                executable: program,
                arguments: ["work", "--launched", "--coordinator", endpoint, "--threads", String(threads), "--rank", String(number)]
                    + configuration.workerTimeouts,
                opening: opening)
        }
        let supervisor = Supervisor(maxRestarts: configuration.maxRestarts) { folder.remove() }
        return try supervisor.run(
            coordinator: coordinator, resumption: { resumption.command(coordinator) }, workers: commands)
    }
}

/// How a coordinator is started again after a crash.
struct Resumption: Sendable {
    private let configuration: TrainingConfiguration
    private let folder: PrivateFolder

    init(_ configuration: TrainingConfiguration, folder: PrivateFolder) {
        self.configuration = configuration
        self.folder = folder
    }

    /// The same command with a configuration that resumes; nil where the run folder holds nothing to go on with.
    func command(_ first: ChildCommand) -> ChildCommand? {
        guard let place = first.arguments.firstIndex(of: "--config"),
            FileManager.default.fileExists(atPath: ConfigurationFile.path(inRun: configuration.output))
        else { return nil }
        var again = configuration
        again.resume = true
        let file = folder.path + "/resume.yaml"
        guard (try? ConfigurationFile.write(again, to: file)) != nil else { return nil }
        var arguments = first.arguments
        arguments[place + 1] = file
        return ChildCommand(executable: first.executable, arguments: arguments, opening: first.opening, place: first.place)
    }
}

extension TrainingConfiguration {
    /// How long workers wait for their coordinator, as arguments of theirs.
    var workerTimeouts: [String] {
        ["--coordinator-timeout", String(coordinatorTimeout), "--heartbeat-timeout", String(heartbeatTimeout)]
    }
}

/// The path of this program.
func ownProgram() -> String { URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path }

/// A folder of a launcher that its user alone may enter.
struct PrivateFolder: Sendable {
    let path: String

    init() throws(RunError) {
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        path = "\(base)/apus-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RunError("\(path) cannot be made (\(error.localizedDescription)): set TMPDIR to a folder of yours")
        }
    }

    /// Two threads may remove it at once, at a second signal: whoever finds that something went on the way begins again.
    func remove() {
        for _ in 0..<10 where FileManager.default.fileExists(atPath: path) { try? FileManager.default.removeItem(atPath: path) }
    }
}
