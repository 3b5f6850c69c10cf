internal import Cluster
internal import Foundation

/// What the commands of `apus` call.
package enum EntryPoints {
    package static func train(_ configuration: TrainingConfiguration, debug: Bool) throws {
        let stop = StopRequest()
        let run = try TrainingRun(configuration, cores: ProcessInfo.processInfo.activeProcessorCount, stop: stop)
        stop.listen()
        let inputs = run.inputs
        let replica = Replica(model: inputs.model, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        try waitFor {
            let engine = SingleProcessEngine(
                replica: replica, laneCount: inputs.plan.laneCount, datasets: inputs.datasets, optimizer: inputs.optimizer,
                seed: inputs.configuration.seed, debug: debug)
            try await run.run(engine, from: progress, command: commandLine)
        }
    }

    package static func coordinate(_ options: CoordinateOptions) throws {
        let run = try CoordinatorRun(options, security: .plain)
        try waitFor { try await run.start() }
    }

    package static func work(_ options: WorkOptions) throws {
        let place: Place
        do { place = try Place(environment: ProcessInfo.processInfo.environment) } catch { throw InputError(error.description) }
        guard let endpoint = options.coordinator ?? place.coordinator else {
            throw InputError("no coordinator is named: give --coordinator tcp://HOST:PORT, or set APUS_COORDINATOR or MASTER_ADDR and MASTER_PORT")
        }
        // The coordinator sends workers home; a terminal's Ctrl-C is not for them.
        signal(SIGINT, SIG_IGN)
        LauncherPipe.watch {
            sleep(8)
            _exit(1)
        }
        let run = try WorkerRun(
            endpoint: endpoint, threads: options.threads ?? ProcessInfo.processInfo.activeProcessorCount, security: .plain, timeout: .seconds(60))
        try waitFor { try await run.run() }
    }

    package static func launch(_ options: LaunchOptions) throws {
        guard !options.single else { return try train(options.configuration, debug: options.debug) }
        guard options.cluster == nil else { throw InputError("--cluster is not supported yet: leave it out to use this machine") }
        let status = try LocalLaunch(options, cores: ProcessInfo.processInfo.activeProcessorCount).run()
        if status != 0 { throw ChildStatus(status: status) }
    }

    /// The metrics, as one JSON object.
    package static func evaluate(_ options: InferenceOptions) throws -> String { try Scoring.run(options) }

    /// Hands one JSON object a sample to `emit`, in order.
    package static func predict(_ options: InferenceOptions, emit: (String) throws -> Void) throws {
        try Prediction(options).run(options, emit: emit)
    }

    /// The largest errors of one reference folder, as one JSON object.
    package static func verify(case folder: String) throws -> String {
        try jsonLine(try Verification(try ReferenceCase(folder: folder), lanes: 3, threads: 2).run())
    }

    /// One line a finding of the preflight.
    package static func check(cluster: String, emit: (String) throws -> Void) throws { throw RunError("not built yet") }

    /// Writes keys into a folder and returns a line that says which.
    package static func keygen(folder: String) throws -> String { throw RunError("not built yet") }
}
