internal import Cluster
internal import Distributed
internal import Foundation
internal import Transport

/// A worker process, from joining to leaving.
struct WorkerRun {
    private let system: ZeroMQActorSystem
    private let thread: WorkerThread
    private let worker: Worker<ZeroMQActorSystem>
    private let coordinator: Coordinator<ZeroMQActorSystem>
    private let identity: WorkerIdentity
    private let endpoint: String
    private let timeout: Duration

    init(endpoint: String, threads: Int, security: ClusterSecurity, timeout: Duration) throws {
        let context = try Context()
        let system = try ZeroMQActorSystem.worker(of: endpoint, security: security.control, in: context, options: security.options)
        let place = try MeshPlace(coordinator: endpoint, keys: security.keys)
        thread = WorkerThread(threads: threads, context: context, place: place) { system.generation = $0 }
        worker = Worker(thread, actorSystem: system)
        coordinator = try Coordinator.resolve(id: ActorAddress(process: "coordinator", name: "coordinator"), using: system)
        identity = Fingerprint.identity(threads: threads)
        self.system = system
        self.endpoint = endpoint
        self.timeout = timeout
    }

    /// Serves the run until the coordinator sends this worker away.
    /// - Throws: ``RunError`` where no coordinator is to be had, or it refuses this worker.
    func run() async throws {
        let serving = Task { [system] in await system.run() }
        defer { serving.cancel() }
        try await join()
        let reason = try await withThrowingTaskGroup(of: String?.self) { tasks in
            tasks.addTask { for await reason in thread.departures { return reason } ; return nil }
            tasks.addTask { try await rejoinWhenNeeded() }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
        await system.shutDown()
        thread.end()
        if let reason, !reason.isEmpty { throw RunError(reason) }
    }

    private func join() async throws {
        system.generation = 0
        let held = await thread.held()
        let (coordinator, identity, address) = (coordinator, identity, worker.id)
        do {
            try await ZeroMQActorSystem.within(timeout) { try await coordinator.join(identity, address, held) }
        } catch let refused as JoinRefused {
            throw RunError(refused.description)
        } catch {
            throw RunError("no coordinator answers at \(endpoint) within \(timeout.seconds) s (\(error)): is it running, and is the address right?")
        }
    }

    /// Joins again whenever the coordinator was lost and is back.
    private func rejoinWhenNeeded() async throws -> String? {
        for await event in system.events {
            switch event {
            case .lost, .coordinatorChanged: try await join()
            case .refused: throw RunError("the coordinator at \(endpoint) does not know this worker's key: check APUS_KEY_FILE")
            case .found: continue
            }
        }
        return nil
    }
}

/// How this process's links are protected.
struct ClusterSecurity: Sendable {
    let keys: KeyPair?
    let control: Security
    let options: ControlOptions

    /// Links that stay on this machine, or that the user wants plain.
    static var plain: ClusterSecurity { ClusterSecurity(keys: nil, control: .plain, options: Self.controlOptions) }

    static var controlOptions: ControlOptions {
        var options = ControlOptions()
        options.errors = [WorkerFailure.self, JoinRefused.self]
        return options
    }
}

extension MeshPlace {
    /// Beside the coordinator's socket where that is one of this machine, else any port of the address that leads to it.
    init(coordinator endpoint: String, keys: KeyPair?) throws {
        if endpoint.hasPrefix("ipc://") {
            let path = String(endpoint.dropFirst(6))
            self.init(kind: .folder((path as NSString).deletingLastPathComponent), keys: keys)
        } else {
            guard let host = HostAddress(endpoint: endpoint) else {
                throw InputError("'\(endpoint)' is no endpoint: tcp://HOST:PORT or ipc://PATH was needed")
            }
            self.init(kind: .address(try host.localAddress()), keys: keys)
        }
    }
}
