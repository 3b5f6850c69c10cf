internal import BERT
internal import Cluster
package import Configuration
internal import Console
internal import Distributed
internal import Files
internal import Foundation
internal import Learning
internal import Processes
package import Runs
internal import Synchronization
internal import Telemetry
internal import Transport
internal import Wording

/// A coordinator process, from its inputs to its summary.
package struct CoordinatorRun {
    private let options: CoordinateOptions
    /// The requested endpoint.
    private let endpoint: String
    private let security: ClusterSecurity
    private let context: Context
    private let authenticator: Authenticator?
    private let system: ZeroMQActorSystem
    private let run: TrainingRun
    private let stop: StopRequest
    private let membership: Membership
    private let refusals = RefusalReport()
    /// Time in which workers find a restarted coordinator: they try ten times a second.
    private static let patience = Duration.seconds(10)

    /// Opens the endpoint first: if that fails, the run's folder is unchanged.
    /// - Throws: ``BadInput`` if any option cannot be used.
    package init(_ options: CoordinateOptions, _ invocation: Invocation) throws {
        self.options = options
        let ring = options.launched ? try LauncherPipe.readOpening() : nil
        endpoint = try Self.listening(at: options.endpoint)
        if endpoint.hasPrefix("ipc://") {
            try SocketPath.check(folder: FileSystem.parent(String(endpoint.dropFirst(6))))
        }
        security = try .coordinator(
            at: endpoint, workers: options.workers, handedOver: ring, insecure: options.configuration.insecure)
        if let path = options.healthFile { try HealthFile.check(path) }
        context = try Context()
        authenticator = try security.authenticator(in: context, report: refusals)
        var control = security.options
        control.expectsAnotherKey = { [refusals, security] in refusals.note(.otherCoordinator, file: security.file) }
        control.differsInKeys = { [refusals, security] in
            refusals.note(.differsInKeys, file: security.file, isPlain: security.keys == nil)
        }
        control.lacksDescriptors = { [refusals] in refusals.note(.noDescriptor, file: nil) }
        control.lossAfter = .seconds(options.configuration.heartbeatTimeout)
        do {
            system = try .coordinator(
                at: endpoint, incarnation: UInt64.random(in: 1 ... .max), security: security.control, in: context,
                options: control)
        } catch {
            throw InputError("the coordinator cannot start \(error.description)")
        }
        stop = StopRequest()
        membership = Membership(
            allowList: security.keys == nil ? nil : security.allowList,
            placed: options.rendezvousTimeout == nil ? nil : options.workers)
        if options.launched {
            LauncherPipe.follow(LaunchedProcess(.coordinator)) { [stop, membership] action in
                switch action {
                case .giveUpWorker: membership.giveUp(1)
                case .stop(let signal): stop.request(signal)
                case .wait, .exit: break
                }
            }
        }
        run = try TrainingRun(
            options.configuration, invocation, stop: stop, isBrief: options.isBrief,
            role: options.launched && endpoint.hasPrefix("ipc://")
                ? .coordinatorHere(workers: options.workers) : .coordinator)
        if !(options.launched && options.rendezvousTimeout != nil) {
            stop.listen()
        } else {
            // An engine signals every process of a job, some twice: only rank 0's message counts.
            for number in [SIGINT, SIGTERM] { signal(number, SIG_IGN) }
        }
    }

    /// libzmq listens at addresses and interfaces, not at names.
    private static func listening(at given: String?) throws -> String {
        let endpoint = try given.map { try EndpointText.read($0, listens: true) } ?? "tcp://*:*"
        guard let place = HostAddress(endpoint: endpoint), place.host != "*" else { return endpoint }
        guard let number = TCPProbe.number(of: place.host) else {
            throw InputError(
                "--endpoint \(given ?? endpoint): the host \(place.host) is unknown: name an address of this machine, "
                    + "or 0.0.0.0 for all of them"
            )
        }
        return "tcp://\(TCPProbe.bracketed(number)):\(place.port)"
    }

    package func start() async throws {
        let inputs = run.inputs
        let replica = Replica(
            model: try run.firstModel, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        let journal = try run.beginJournal(after: progress.step)
        let history = run.history
        if system.endpoint.hasPrefix("tcp://") {
            run.display.say("listening at \(system.endpoint)")
            if security.keys == nil { run.display.say(ClusterSecurity.insecureNotice) }
        }
        refusals.begin { [display = run.display] in display.say($0) }
        let keyFile = KeyFileWatch(security, run.display)
        let health = try options.healthFile.map { try HealthFile($0, endpoint: system.endpoint) }
        if let limit = options.rendezvousTimeout {
            membership.endRendezvous(
                after: limit,
                advice: options.launched
                    ? "see what that task printed, or allow more time with --coordinator-timeout"
                    : "start each with 'apus work', or allow more time with --rendezvous-timeout")
        }
        let shape = ArithmeticShape(
            inputs.model.shape, blas: inputs.configuration.blas, precision: inputs.configuration.precision)
        membership.expect(Fingerprint.identity(shape, threads: inputs.configuration.threads))
        let coordinator = system.named("coordinator") { Coordinator(membership, shape: shape, actorSystem: $0) }
        let place = try MeshPlace(coordinator: endpoint, keys: security.keys)
        let data = CoordinatorDataThread(context: context, place: place)
        let engine = try CoordinatorEngine(
            inputs: inputs, state: replica.state, step: run.savedStep, newest: run.newestUsableStep(after: progress),
            journal: journal,
            patience: history == nil ? nil : Self.patience, wanted: options.workers, system: system,
            membership: membership, data: data, display: run.display,
            stop: stop)
        engine.reminder = WaitingReminder(hint: startHint)
        engine.record = run.record
        engine.resumeCommand = run.resumeCommand
        let serving = Task { [system, membership] in
            async let readmitting: Void = membership.readmitReturning(through: system)
            await system.run()
            await readmitting
        }
        defer { serving.cancel() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await run.run(engine, from: progress, after: history)) } catch {
            outcome = .failure(error)
        }
        await engine.close(farewell(outcome))
        await system.shutDown()
        let refused = system.refused + data.refusals.total
        if refused > 0 {
            run.display.say(
                "\(counted(refused, "connection or message", "connections or messages")) from unknown processes refused"
            )
        }
        withExtendedLifetime((coordinator, keyFile, health)) {}
        try outcome.get()
    }
}

extension CoordinatorRun {
    /// The command that starts a worker of this run; nil if a launcher does.
    private var startHint: String? {
        guard !options.launched else { return nil }
        guard let place = HostAddress(endpoint: system.endpoint) else {
            return "apus work --coordinator \(shellQuoted(system.endpoint))"
        }
        let isOpen = ["*", "0.0.0.0", "[::]"].contains(place.host)
        let host = isOpen ? ProcessInfo.processInfo.hostName : place.host
        let key =
            if security.keys == nil { "" } else if security.file == nil { "\(KeySource.secret)=… RANK=N " } else {
                "\(KeySource.file)=…/worker-N.key "
            }
        return "\(key)apus work --coordinator \(host):\(place.port)\(security.keys == nil ? " --insecure" : "")"
    }

    /// Why the workers are dismissed; empty without an error. Workers placed by an engine fail with the run.
    private func farewell(_ outcome: Result<Void, any Error>) -> String {
        guard options.rendezvousTimeout != nil, case .failure(let error) = outcome, !(error is SignalStop) else {
            return ""
        }
        return "the run ended: \(error)"
    }
}

/// Reads the coordinator's key file again on SIGHUP: removing a key ends that worker's membership.
private final class KeyFileWatch: Sendable {
    private let source: SignalSource?

    init(_ security: ClusterSecurity, _ display: RunDisplay) {
        source = security.file == nil ? nil : SignalSource(SIGHUP) { display.say(security.readAgain()) }
    }
}
