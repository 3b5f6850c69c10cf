package import Cluster
package import Configuration
internal import Console
internal import Distributed
internal import Foundation
internal import Kernels
internal import Synchronization
internal import Transport
internal import Wording

/// A worker process, from joining to leaving.
package final class WorkerRun: Sendable {
    private let system: ZeroMQActorSystem
    private let thread: WorkerThread
    private let worker: Worker<ZeroMQActorSystem>
    private let joining: Joining<ZeroMQActorSystem>
    private let threads: Int
    private let number: Int?
    private let worldSize: Int?
    private let key: PublicKey?
    private let identity = Mutex<(shape: ArithmeticShape, identity: WorkerIdentity)?>(nil)
    private let authenticator: Authenticator?
    private let endpoint: String
    private let exchange: Exchange
    private let timeout: Duration
    private let search: CoordinatorSearch

    /// - Parameters:
    ///   - place: rank and world size assigned by an engine.
    ///   - options: the network interface for the data links, how long to wait for the coordinator, at first and
    ///     whenever it was lost, and the rank assigned by a launcher.
    package init(endpoint: String, place: Place, threads: Int, security: ClusterSecurity, _ options: WorkOptions) throws
    {
        let links = try Self.links(endpoint, security, options)
        let context = try Context()
        authenticator = try security.authenticator(in: context)
        var control = security.options
        control.lossAfter = options.heartbeatTimeout
        let system = try ZeroMQActorSystem.worker(
            of: endpoint, security: security.control, in: context, options: control)
        let allowList = security.allowList
        thread = WorkerThread(threads: threads, context: context, place: links, allowList: allowList) {
            system.generation = $0
        }
        worker = Worker(thread, actorSystem: system)
        joining = Joining(
            system: system,
            coordinator: try Coordinator.resolve(
                id: ActorAddress(process: "coordinator", name: "coordinator"), using: system),
            worker: worker.id, thread: thread, timeout: options.coordinatorTimeout)
        self.threads = threads
        exchange = options.exchange
        number = options.rank ?? place.rank
        worldSize = place.worldSize
        key = security.keys?.publicKey
        self.system = system
        self.endpoint = endpoint
        timeout = options.coordinatorTimeout
        search = CoordinatorSearch(
            system: system, endpoint: endpoint, security: security, timeout: options.coordinatorTimeout,
            isWatched: !options.launched && place.starter == .somebodyElse)
    }

    private static func links(_ endpoint: String, _ security: ClusterSecurity, _ options: WorkOptions) throws
        -> MeshPlace
    {
        var links = try MeshPlace(coordinator: endpoint, interface: options.interface, keys: security.keys)
        links.heartbeatTimeout = options.heartbeatTimeout
        links.exchange = options.exchange
        return links
    }

    /// Serves the run until the coordinator dismisses this worker.
    /// - Throws: ``RunError`` if no coordinator can be reached, or it refuses this worker.
    package func run() async throws {
        let serving = Task { [system] in await system.run() }
        defer { serving.cancel() }
        let first = try await join()
        search.say("joined the run of the coordinator at \(endpoint)")
        let reason = try await withThrowingTaskGroup(of: String?.self) { tasks in
            tasks.addTask { [thread] in
                for await reason in thread.departures { return reason }; return nil
            }
            tasks.addTask { [self] in try await rejoinWhenNeeded(first) }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? nil
        }
        if exchange == .mpi { await thread.leaveWorld() }
        await system.shutDown()
        thread.end()
        let refused = thread.refusals.total
        if refused > 0 {
            sayToUser(
                "\(counted(refused, "connection or message", "connections or messages")) from unknown processes refused"
            )
        }
        if let error = thread.unfitness.withLock({ $0 }) { throw error }
        if let reason, !reason.isEmpty { throw RunError(reason) }
        search.say("the coordinator has ended the run; this worker ends too")
    }

    /// - Returns: the coordinator's incarnation that admitted this worker.
    private func join() async throws -> UInt64 {
        let searching = Task { [search] in await search.report() }
        defer { searching.cancel() }
        do {
            return try await joining.join { [self] in try identity(at: $0) }
        } catch let refused as JoinRefused {
            throw InputError(refused.description)
        } catch let unusable as BLASError {
            throw unusable
        } catch {
            if case .refused(let refusal) = system.contact {
                let advice = search.advice(refusal)
                throw RunError(
                    "the coordinator at \(endpoint) refused this worker for \(Int(timeout.seconds)) s: "
                        + "\(advice.cause); \(advice.remedy)")
            }
            // The name of an unanswered call adds nothing.
            let cause = if case .deadline = error as? ClusterError { "" } else { " (\(error))" }
            throw RunError(
                "no coordinator answers at \(endpoint) within \(Int(timeout.seconds)) s\(cause): is it running, "
                    + "and is the address right?"
            )
        }
    }

    /// The identity of this process, with its fingerprint at a model's sizes.
    /// - Throws: ``BLASError`` if the run's BLAS cannot be used here.
    private func identity(at shape: ArithmeticShape) throws(BLASError) -> WorkerIdentity {
        if let known = identity.withLock({ $0 }), known.shape == shape { return known.identity }
        try shape.blas.use(threads: threads)
        let made = Fingerprint.identity(shape, threads: threads, number: number, worldSize: worldSize, key: key)
        identity.withLock { $0 = (shape, made) }
        return made
    }

    /// Rejoins whenever a lost coordinator is back.
    private func rejoinWhenNeeded(_ first: UInt64) async throws -> String? {
        var joined = first
        for await event in system.events {
            if joining.isNeeded(after: event, joined: joined) {
                joined = try await join()
            } else if event == .refused, key != nil {
                // Without keys a coordinator that is just starting or ending looks the same. With them, so does one on
                // a busy host, or whose port another program used briefly.
                joined = try await join()
            }
        }
        return nil
    }
}
