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
    private let authenticator: Authenticator?
    private let endpoint: String
    private let timeout: Duration

    /// - Parameters:
    ///   - interface: the network interface that the data links use; nil for the one that leads to the coordinator.
    ///   - timeout: how long to wait for the coordinator, at first and whenever it was lost.
    init(endpoint: String, threads: Int, interface: String?, security: ClusterSecurity, timeout: Duration) throws {
        let place = try MeshPlace(coordinator: endpoint, interface: interface, keys: security.keys)
        let context = try Context()
        authenticator = try security.authenticator(in: context)
        let system = try ZeroMQActorSystem.worker(of: endpoint, security: security.control, in: context, options: security.options)
        let allowList = security.allowList
        thread = WorkerThread(threads: threads, context: context, place: place, allowList: allowList) { system.generation = $0 }
        worker = Worker(thread, actorSystem: system)
        coordinator = try Coordinator.resolve(id: ActorAddress(process: "coordinator", name: "coordinator"), using: system)
        identity = Fingerprint.identity(threads: threads, key: security.keys?.publicKey)
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
            tasks.addTask {
                for await reason in thread.departures { return reason }; return nil
            }
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
            throw InputError(refused.description)
        } catch {
            throw RunError("no coordinator answers at \(endpoint) within \(timeout.seconds) s (\(error)): is it running, and is the address right?")
        }
    }

    /// Joins again whenever the coordinator was lost and is back.
    private func rejoinWhenNeeded() async throws -> String? {
        for await event in system.events {
            switch event {
            case .lost, .coordinatorChanged: try await join()
            // Without keys a coordinator that is just starting or ending looks the same.
            case .refused where identity.key == nil: continue
            case .refused: throw RunError("the coordinator at \(endpoint) does not know this worker's key: check APUS_KEY_FILE")
            case .found: continue
            }
        }
        return nil
    }
}
