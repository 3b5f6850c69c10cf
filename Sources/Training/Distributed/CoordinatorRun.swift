internal import Cluster
internal import Distributed
internal import Foundation
internal import Kernels
internal import Tensors
internal import Transport

/// A coordinator process, from its inputs to its summary.
struct CoordinatorRun {
    private let options: CoordinateOptions
    private let security: ClusterSecurity
    private let run: TrainingRun
    private let stop: StopRequest

    init(_ options: CoordinateOptions, security: ClusterSecurity) throws {
        self.options = options
        self.security = security
        stop = StopRequest()
        run = try TrainingRun(options.configuration, cores: ProcessInfo.processInfo.activeProcessorCount, stop: stop)
        stop.listen()
    }

    func start() async throws {
        let inputs = run.inputs
        let replica = Replica(model: inputs.model, parameters: inputs.parameters, threads: inputs.configuration.threads)
        let progress = try run.begin(replica)
        let context = try Context()
        let endpoint = options.endpoint ?? "tcp://*:*"
        let system = try ZeroMQActorSystem.coordinator(
            at: endpoint, incarnation: UInt64.random(in: 1 ... .max), security: security.control, in: context, options: security.options)
        if !endpoint.hasPrefix("ipc://") { run.display.say("listening at \(system.endpoint)") }
        let membership = Membership(expected: Fingerprint.identity(threads: inputs.configuration.threads))
        let coordinator = system.named("coordinator") { Coordinator(membership, actorSystem: $0) }
        LauncherPipe.watch(givenUp: membership.giveUp) { [stop] in
            stop.request(SIGTERM)
            sleep(9)
            _exit(128 + SIGTERM)
        }
        let engine = CoordinatorEngine(
            inputs: inputs, source: replica.state, step: progress.step, wanted: options.workers, system: system, membership: membership,
            data: CoordinatorDataThread(context: context, place: try MeshPlace(coordinator: system.endpoint, keys: security.keys)),
            display: run.display, stop: stop)
        let serving = Task {
            async let readmitting: Void = membership.readmitReturning(through: system)
            await system.run()
            await readmitting
        }
        defer { serving.cancel() }
        do {
            try await run.run(engine, from: progress, command: commandLine)
        } catch {
            await engine.close("")
            await system.shutDown()
            throw error
        }
        await engine.close("")
        await system.shutDown()
        withExtendedLifetime(coordinator) {}
    }
}
