package import Distributed
internal import Synchronization
package import Transport

/// Swift's distributed actors over ZeroMQ: the control plane between the coordinator and its workers.
///
/// The coordinator binds a ROUTER, each worker connects a DEALER; calls go both ways. A dedicated thread owns the
/// socket. Each call has a deadline and a number: it is sent again under that number, executed at most once, and
/// answered with the same bytes however often it arrives. ``run()`` executes arriving calls.
package final class ZeroMQActorSystem: DistributedActorSystem, Sendable {
    package typealias ActorID = ActorAddress
    package typealias SerializationRequirement = any Codable
    package typealias InvocationEncoder = Cluster.InvocationEncoder
    package typealias InvocationDecoder = Cluster.InvocationDecoder
    package typealias ResultHandler = Cluster.ResultHandler

    /// `coordinator`, or `worker-` and a random number.
    package var process: String { state.process }
    /// The coordinator's endpoint with its resolved port.
    package let endpoint: String
    /// Processes found and lost. For one reader.
    package var events: AsyncStream<PeerEvent> { state.events }

    let state: ControlState
    let actors = Mutex<[String: LocalActor]>([:])
    /// Names of called functions on the wire, by what Swift calls them.
    private let callNames = Mutex<[String: String]>([:])

    /// Listens for workers at `endpoint`.
    ///
    /// - Parameter incarnation: identifies this run of the coordinator; not 0, and different after each restart.
    /// - Throws: ``ZeroMQError`` if it cannot listen at the endpoint.
    package static func coordinator(
        at endpoint: String, incarnation: UInt64, security: Security, in context: Context,
        options: ControlOptions = ControlOptions()
    ) throws(ZeroMQError) -> ZeroMQActorSystem {
        precondition(incarnation != 0, "incarnation 0 means none")
        let state = try ControlState(
            process: "coordinator", isCoordinator: true, incarnation: incarnation, options: options)
        let socket = try Socket(.router, in: context, options: socketOptions(security, options))
        let monitor = try SocketMonitor(socket, in: context)
        let bound = try socket.bind(endpoint)
        return ZeroMQActorSystem(state, at: bound, ControlThread(state, socket: socket, monitor: monitor, at: bound))
    }

    /// Connects to the coordinator at `endpoint`, in the background, and reconnects.
    ///
    /// Calls made before the coordinator is there wait for it until their deadline.
    package static func worker(
        of endpoint: String, security: Security, in context: Context, options: ControlOptions = ControlOptions()
    ) throws(ZeroMQError) -> ZeroMQActorSystem {
        let name = "worker-" + String(UInt64.random(in: 0 ... .max), radix: 16)
        let state = try ControlState(process: name, isCoordinator: false, incarnation: 0, options: options)
        let socket = try Socket(.dealer, in: context, options: socketOptions(security, options))
        let monitor = try SocketMonitor(socket, in: context)
        try socket.connect(endpoint)
        return ZeroMQActorSystem(
            state, at: endpoint, ControlThread(state, socket: socket, monitor: monitor, at: endpoint))
    }

    private init(_ state: ControlState, at endpoint: String, _ thread: sending ControlThread) {
        self.state = state
        self.endpoint = endpoint
        _ = ServiceThread { thread.run() }
    }

    deinit { state.stop() }

    private static func socketOptions(_ security: Security, _ options: ControlOptions) -> SocketOptions {
        var socket = SocketOptions()
        socket.security = security
        socket.unacknowledgedLimit = options.lossAfter
        socket.queuesOnlyWhenConnected = true
        socket.tellsRefusedKeys = true
        return socket
    }

    // MARK: Membership

    /// The generation of this process, in every message; 0 for none.
    ///
    /// Calls from an older generation are refused; those without one or from a newer one are executed.
    package var generation: UInt32 {
        get { state.withShared { $0.generation } }
        set { state.withShared { $0.generation = newValue } }
    }

    /// The coordinator's incarnation; 0 until a worker has heard from it.
    package var incarnation: UInt64 { state.withShared { $0.incarnation } }

    /// Messages and connections that were refused: from strangers, malformed, or from ended incarnations.
    package var refused: Int { state.withShared { $0.refused } }

    /// Whether a process can be called: it was heard from, and is not lost.
    package func isConnected(to process: String) -> Bool { state.withShared { $0.connected.contains(process) } }

    /// The state of this worker's connection to the coordinator.
    package var contact: CoordinatorContact { state.withShared { $0.contact } }

    /// Maximum size of an answer in bytes.
    package var largestAnswer: Int { state.options.largestCall }

    // MARK: Life

    /// Executes the calls that arrive, until the system is shut down or the task is cancelled.
    ///
    /// They run on the socket's thread, so a distributed function must not block it for long.
    package func run() async {
        await state.execute { await self.execute($0) }
    }

    /// Makes the calls within `body` on the socket's thread, which encodes and decodes them without waking another
    /// thread.
    package func withCalls<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        try await withTaskExecutorPreference(state, operation: body)
    }

    /// Ends the connections and fails the calls in progress with ``ClusterError/shutDown``.
    ///
    /// Calls to this process are answered first, for at most a second.
    package func shutDown() async {
        state.stop()
        await state.ended()
    }

    // MARK: Calls

    @TaskLocal static var deadline: ContinuousClock.Instant?

    /// Sets the deadline of the distributed calls within `body`.
    package static func within<Result>(_ limit: Duration, _ body: () async throws -> Result) async rethrows -> Result {
        try await $deadline.withValue(.now + limit, operation: body)
    }

    package func makeInvocationEncoder() -> InvocationEncoder { InvocationEncoder() }

    package func remoteCall<Act: DistributedActor, Err: Error, Res: Codable>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type,
        returning: Res.Type
    ) async throws -> Res where Act.ID == ActorID {
        try Wire.decode(Res.self, from: try await call(actor, target, invocation)[...])
    }

    package func remoteCallVoid<Act: DistributedActor, Err: Error>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type
    ) async throws where Act.ID == ActorID {
        _ = try await call(actor, target, invocation)
    }

    private func call<Act: DistributedActor>(
        _ actor: Act, _ target: RemoteCallTarget, _ invocation: InvocationEncoder
    ) async throws -> [UInt8] where Act.ID == ActorID {
        try await state.call(
            actor.id, target: name(of: target, Act.self), payload: invocation.payload,
            deadline: Self.deadline ?? .now + state.options.callLimit)
    }

    private func name(of target: RemoteCallTarget, _ type: (some DistributedActor).Type) -> String {
        callNames.withLock { names in
            if let known = names[target.identifier] { return known }
            guard let type = type as? any NamedCalls.Type else { preconditionFailure("\(type) names no calls") }
            let name = type.wireName(of: target)
            names[target.identifier] = name
            return name
        }
    }
}
