package import Configuration
internal import Console
internal import Coordination
internal import Foundation
internal import Kernels
package import Processes
package import Runs
internal import Tracing

/// A coordinator and workers on this machine, as children of this process; nothing listens on a network.
package struct LocalLaunch {
    private let options: LaunchOptions
    private let invocation: Invocation
    private let shares: WorkerShares
    private let nodes: MemoryNodes
    private var workers: Int { shares.workers }
    private var threads: Int { shares.threads }

    package init(_ options: LaunchOptions, _ invocation: Invocation, cores: Int, nodes: MemoryNodes) {
        self.options = options
        self.invocation = invocation
        self.nodes = nodes
        shares = WorkerShares(options, cores: cores, nodes: nodes)
    }

    /// How many workers are started, and the threads of each.
    package static func shares(
        _ options: LaunchOptions, cores: Int, nodes: MemoryNodes
    ) -> (workers: Int, threads: Int) {
        guard !options.single else { return (1, options.configuration.threads) }
        let shares = WorkerShares(options, cores: cores, nodes: nodes)
        return (shares.workers, shares.threads)
    }

    /// - Returns: the exit status of the job.
    package func run() throws -> Int32 {
        if !options.isBrief, let doubt = ProcessorCount.doubt(threads: threads) { sayToUser(doubt) }
        let usesLibrary = options.configuration.blas != .own
        try SystemLimits.provide(.launch(workers: workers, threads: threads, library: usesLibrary))
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
            arguments: [
                "coordinate", "--launched", "--workers", String(workers), "--endpoint", endpoint, "--config", file,
            ]
                + (options.isBrief ? ["--brief"] : []) + Trace.arguments,
            opening: opening)
        let resumption = try Resumption(configuration, folder: folder)
        let commands = (0..<workers).map { number in
            ChildCommand(
                executable: program,
                arguments: [
                    "work", "--launched", "--coordinator", endpoint, "--threads", String(threads), "--rank",
                    String(number),
                ]
                    + (shares.processors(of: number, nodes).map { ["--processors", $0.text] } ?? [])
                    + configuration.workerTimeouts + Trace.arguments,
                opening: opening)
        }
        var supervisor = Supervisor(
            coordinator: coordinator, resumption: { resumption.command(coordinator) }, workers: commands,
            invocation: invocation, maxRestarts: configuration.maxRestarts
        ) { folder.remove() }
        return supervisor.run()
    }
}

extension WorkerShares {
    fileprivate init(_ options: LaunchOptions, cores: Int, nodes: MemoryNodes) {
        self.init(
            cores: cores, nodes: nodes.count, lanes: options.configuration.laneCount, workers: options.workers,
            threads: options.threadsGiven ? options.configuration.threads : nil)
    }

    /// The processors that a worker, and each replacement of it, is bound to; nil: it is not bound.
    func processors(of worker: Int, _ nodes: MemoryNodes) -> ProcessorList? {
        node(of: worker).flatMap { nodes.processors.isEmpty ? nil : nodes.processors[$0] }
    }
}

/// How to restart a coordinator after a crash.
struct Resumption: Sendable {
    private let output: String
    private let file: String

    /// Writes the configuration for resuming in advance: the disk may be full later.
    init(_ configuration: TrainingConfiguration, folder: PrivateFolder) throws(ConfigurationError) {
        output = configuration.output
        file = folder.path + "/resume.yaml"
        var again = configuration
        again.resume = true
        try ConfigurationFile.write(again, to: file)
    }

    /// The same command, with a configuration that resumes if the run folder has anything to resume.
    func command(_ first: ChildCommand) -> ChildCommand {
        guard let place = first.arguments.firstIndex(of: "--config") else {
            preconditionFailure("a coordinator is started without --config")
        }
        guard SavedConfiguration.isThere(inRun: output) else { return first }
        var arguments = first.arguments
        arguments[place + 1] = file
        return ChildCommand(
            executable: first.executable, arguments: arguments, opening: first.opening, place: first.place,
            resumes: true)
    }
}

extension TrainingConfiguration {
    /// How long workers wait for their coordinator, as their arguments.
    var workerTimeouts: [String] {
        ["--coordinator-timeout", String(coordinatorTimeout), "--heartbeat-timeout", String(heartbeatTimeout)]
    }
}
