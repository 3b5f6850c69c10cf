package import Chaos
package import Configuration
internal import Console
package import Coordination
internal import Files
internal import Foundation
internal import Inference
internal import Inputs
package import Kernels
internal import Launching
internal import Learning
internal import Processes
internal import ReferenceChecks
internal import Reports
package import Runs
package import Watching
internal import Wording

/// The entry points for the commands of `apus`.
package enum EntryPoints {
    /// - Parameter dashboard: whether to serve a live page of the run.
    package static func train(
        _ configuration: TrainingConfiguration, _ invocation: Invocation, debug: Bool, dashboard: Bool = false
    ) throws {
        let configuration = try configuration.withModelFolder()
        // That of all seeds, if there are several.
        let invocation = invocation.resumed(by: invocation.resuming(configuration))
        let page = dashboard ? Dashboard(configuration.output) : nil
        defer { page?.end() }
        let stop = StopRequest()
        guard let seeds = try configuration.seedList else {
            return try train(configuration, invocation, debug: debug, stop, isBrief: false)
        }
        _ = try SeedRuns(configuration, seeds: seeds).run { one, isFirst in
            try train(one, invocation, debug: debug, stop, isBrief: !isFirst)
            return 0
        }
    }

    private static func train(
        _ configuration: TrainingConfiguration, _ invocation: Invocation, debug: Bool, _ stop: StopRequest,
        isBrief: Bool
    ) throws {
        try SystemLimits.provide(.single(threads: configuration.threads, library: configuration.blas != .own))
        let run = try TrainingRun(configuration, invocation, stop: stop, isBrief: isBrief)
        // Once for all seeds.
        if !isBrief { stop.listen(heedsHangup: true) }
        let inputs = run.inputs
        let replica = Replica(
            model: try run.firstModel, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        run.forgetJournal(after: progress.step)
        try waitFor {
            let engine = SingleProcessEngine(
                inputs: inputs, replica: replica, debug: debug, stop: stop)
            try await run.run(engine, from: progress)
        }
    }

    /// Describes a run in lines without writing anything.
    package static func dryRun(_ configuration: TrainingConfiguration, workers: Int = 1) throws -> [String] {
        try SystemLimits.provide(.single(threads: configuration.threads, library: configuration.blas != .own))
        let configuration = try configuration.withModelFolder()
        return try waitFor { try await DryRun(configuration, workers: workers).lines() }
    }

    /// The same for a job of workers on this machine.
    package static func dryRun(_ options: LaunchOptions) throws -> [String] {
        let (workers, threads) = LocalLaunch.shares(
            options, cores: ProcessorCount.usable, nodes: .ofThisProcess)
        var configuration = options.configuration
        configuration.threads = workers * threads
        return try dryRun(configuration, workers: workers)
    }

    /// `apus coordinate`: returns once the run has ended.
    package static func coordinate(_ options: CoordinateOptions, _ invocation: Invocation) throws {
        guard options.configuration.seeds == nil else {
            throw InputError(
                "--seeds makes several runs, a coordinator has one: give --seed, or the seeds to apus launch")
        }
        let own = options.configuration
        try SystemLimits.provide(
            .coordinator(workers: options.workers, threads: own.threads, library: own.blas != .own))
        let (least, workers) = (options.configuration.minWorkers, options.workers)
        guard least <= workers else {
            throw InputError(
                "--min-workers is \(least), but the run has \(counted(workers, "worker")) and would wait forever: "
                    + "lower it, or start more")
        }
        var options = options
        options.configuration = try options.configuration.withModelFolder()
        let run = try CoordinatorRun(options, invocation)
        try waitFor { try await run.start() }
    }

    package static func work(_ options: WorkOptions, training: TrainingRequest, _ invocation: Invocation) throws {
        try WorkerStart(options, training: training, invocation).run()
    }

    /// `apus launch`: returns once the job has ended.
    package static func launch(_ options: LaunchOptions, _ invocation: Invocation) throws {
        let invocation = invocation.resumed(by: invocation.resuming(options))
        guard !options.single else {
            return try train(options.configuration, invocation, debug: options.debug, dashboard: options.dashboard)
        }
        var options = options
        // Found, or refused, here, before any process is started: no other one downloads.
        options.configuration = try options.configuration.withModelFolder()
        try options.configuration.blas.use(threads: 1)
        Screen.shared.use(options.configuration.progress, sharesTerminal: true)
        let page = options.dashboard ? Dashboard(options.configuration.output) : nil
        defer { page?.end() }
        func launchOne(_ configuration: TrainingConfiguration, isFirst: Bool) throws -> Int32 {
            var one = options
            one.configuration = configuration
            one.isBrief = !isFirst
            if let file = options.cluster { return try ClusterLaunch(one, invocation, file: file).run() }
            return try LocalLaunch(one, invocation, cores: ProcessorCount.usable, nodes: .ofThisProcess).run()
        }
        let seeds = try options.configuration.seedList
        let status =
            try seeds.map { try SeedRuns(options.configuration, seeds: $0).run(launchOne) }
            ?? launchOne(options.configuration, isFirst: true)
        if status != 0 { throw ChildStatus(status: status) }
    }

    /// The metrics, as one JSON object.
    /// - Parameter predictions: a new file for each sample's scores.
    package static func evaluate(_ options: InferenceOptions, predictions: String? = nil) throws -> String {
        try SystemLimits.provide(.inference(threads: options.threads, library: (options.blas ?? .own) != .own))
        var options = options
        options.model = try SourceModel.folder(options.model)
        if let doubt = options.precision.doubt { sayToUser(doubt) }
        return try Scoring.run(options, predictions: predictions)
    }

    /// Answers each sample with one line, in order: to the file named in `answers`, else to `emit`.
    /// - Parameter flush: called when the lines passed to `emit` so far should reach their reader.
    package static func predict(
        _ options: InferenceOptions, _ answers: AnswerOptions, emit: (String) throws -> Void, flush: () throws -> Void
    ) throws {
        try SystemLimits.provide(.inference(threads: options.threads, library: (options.blas ?? .own) != .own))
        if let output = answers.output { try NewFile.check(output, flag: "--output") }
        var options = options
        options.model = try SourceModel.folder(options.model)
        if let doubt = options.precision.doubt { sayToUser(doubt) }
        guard let output = answers.output else {
            return try PredictionRun(options, answers).run(emit: emit, flush: flush)
        }
        let run = try PredictionRun(options, answers)
        var file = try AnswerFile(output)
        do {
            try run.run(emit: { try file.write(line: $0) }, flush: {})
        } catch {
            file.discard()
            throw error
        }
        try file.finish()
    }

    /// Writes a page about runs and returns its path.
    package static func report(_ runs: [String], withTexts: Bool, to output: String?) throws -> String {
        let path = output ?? ReportPage.path(inRun: runs[0])
        try ReportPage.write(runs, withTexts: withTexts, to: path)
        return path
    }

    /// Follows a run in the terminal.
    package static func watch(_ options: WatchOptions) throws { try TerminalWatch(options).run() }

    /// Serves a run's live page.
    package static func serve(_ options: WatchOptions) throws { try WatchServer(options).run() }

    /// The largest errors of one reference folder, as one JSON object.
    package static func verify(case folder: String, blas: BLAS, precision: Precision) throws -> String {
        try SystemLimits.provide(.inference(threads: 2, library: blas != .own))
        try blas.use(threads: 2)
        return try jsonLine(try Verification(try ReferenceCase(folder: folder), precision, lanes: 3, threads: 2).run())
    }

    /// One line per finding of the preflight.
    /// - Throws: ``ChildStatus`` 1 if anything must be fixed.
    package static func check(cluster: String, emit: (String) throws -> Void) throws {
        guard try ClusterCheck(file: cluster).run(emit: emit) else { throw ChildStatus(status: 1) }
    }

    /// The remote end of the preflight.
    package static func checkLocally(
        interface: String?, coordinator: String?, shape: ArithmeticShape, emit: (String) throws -> Void
    ) throws {
        try LocalCheck.run(interface: interface, coordinator: coordinator, shape: shape, emit: emit)
    }

    /// Writes keys into a folder and returns a line that says which.
    package static func keygen(folder: String, workers: Int) throws -> String {
        try KeyFolder.make(folder, workers: workers)
    }

    /// Disturbs runs of a job, or a running job, and passes a line about each to `emit`.
    /// - Throws: ``ChildStatus`` 1 if a run did not end as it must.
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
