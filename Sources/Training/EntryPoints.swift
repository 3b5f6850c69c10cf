internal import Cluster
internal import Foundation

/// What the commands of `apus` call.
package enum EntryPoints {
    package static func train(_ configuration: TrainingConfiguration, debug: Bool) throws {
        ResumeCommand.handOver(ResumeCommand.byHand(configuration))
        let stop = StopRequest()
        guard let seeds = try configuration.seedList else { return try train(configuration, debug: debug, stop, isBrief: false) }
        _ = try SeedRuns(configuration, seeds: seeds).run { one, isFirst in
            try train(one, debug: debug, stop, isBrief: !isFirst)
            return 0
        }
    }

    private static func train(_ configuration: TrainingConfiguration, debug: Bool, _ stop: StopRequest, isBrief: Bool) throws {
        let run = try TrainingRun(
            configuration, cores: ProcessInfo.processInfo.activeProcessorCount, stop: stop, isBrief: isBrief)
        stop.listen()
        let inputs = run.inputs
        let replica = Replica(model: try run.firstModel, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        run.forgetJournal()
        try waitFor {
            let engine = SingleProcessEngine(
                inputs: inputs, replica: replica, debug: debug)
            try await run.run(engine, from: progress, command: commandLine)
        }
    }

    package static func coordinate(_ options: CoordinateOptions) throws {
        guard options.configuration.seeds == nil else {
            throw InputError("--seeds is a run after another, a coordinator's is one: give --seed, or the seeds to apus launch")
        }
        let run = try CoordinatorRun(options)
        try waitFor { try await run.start() }
    }

    package static func work(_ options: WorkOptions, training: TrainingRequest) throws { try WorkerStart(options, training: training).run() }

    package static func launch(_ options: LaunchOptions) throws {
        ResumeCommand.handOver(ResumeCommand.launch(options))
        guard !options.single else { return try train(options.configuration, debug: options.debug) }
        Screen.shared.use(options.configuration.progress, sharesTerminal: true)
        if options.debug { sayToUser("--debug looks into the layers of one process alone: add --single for that") }
        func launchOne(_ configuration: TrainingConfiguration, isFirst: Bool) throws -> Int32 {
            var one = options
            one.configuration = configuration
            one.isBrief = !isFirst
            if let file = options.cluster { return try ClusterLaunch(one, file: file).run() }
            return try LocalLaunch(one, cores: ProcessInfo.processInfo.activeProcessorCount).run()
        }
        let seeds = try options.configuration.seedList
        let status = try seeds.map { try SeedRuns(options.configuration, seeds: $0).run(launchOne) } ?? launchOne(options.configuration, isFirst: true)
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
    /// - Throws: ``ChildStatus`` 1 where something is to be mended.
    package static func check(cluster: String, emit: (String) throws -> Void) throws {
        guard try ClusterCheck(file: cluster).run(emit: emit) else { throw ChildStatus(status: 1) }
    }

    /// The far end of the preflight.
    package static func checkLocally(
        interface: String?, coordinator: String?, shape: ArithmeticShape, emit: (String) throws -> Void
    ) throws {
        try LocalCheck.run(interface: interface, coordinator: coordinator, shape: shape, emit: emit)
    }

    /// Writes keys into a folder and returns a line that says which.
    package static func keygen(folder: String, workers: Int) throws -> String { try KeyFolder.make(folder, workers: workers) }

    /// Disturbs runs of a job, or a job that runs, and hands a line about each to `emit`.
    /// - Throws: ``ChildStatus`` 1 where a run did not end as it has to.
    package static func chaos(_ options: ChaosOptions, emit: @escaping (String) throws -> Void) throws {
        if let launcher = options.launcher { return try ChaosVisit(options, launcher: launcher).run(emit: emit) }
        let folder = try PrivateFolder()
        let leaving = Farewell { for process in JobProcesses.all(below: folder.path) { process.send(SIGKILL) } }
        let isWell: Bool
        do { isWell = try ChaosCampaign(options, folder: folder.path, emit: emit).run() } catch {
            folder.remove()
            throw error
        }
        withExtendedLifetime(leaving) {}
        guard isWell else { throw ChildStatus(status: 1) }
        folder.remove()
    }
}
