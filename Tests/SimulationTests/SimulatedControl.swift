import Distributed

@testable import Cluster
@testable import Coordination

/// A process's end of the simulated control plane: numbered calls, each executed once, as ``ZeroMQActorSystem`` has
/// them.
final class SimulatedControl: ControlPlane, @unchecked Sendable {
    typealias ActorID = ActorAddress
    typealias SerializationRequirement = any Codable
    typealias InvocationEncoder = Cluster.InvocationEncoder
    typealias InvocationDecoder = Cluster.InvocationDecoder
    typealias ResultHandler = Cluster.ResultHandler

    private struct Call {
        let number: UInt64
        let to: String
        let target: String
        let payload: [UInt8]
        let generation: UInt32
        let incarnation: UInt64
        let continuation: CheckedContinuation<[UInt8], any Error>
        let deadline: Simulation.Timer
    }

    let own: SimulatedProcess
    var process: String { own.name }
    let isCoordinator: Bool
    let largestAnswer = 4 << 20
    let events: AsyncStream<PeerEvent>
    private let eventsEnd: AsyncStream<PeerEvent>.Continuation
    private let network: SimulatedControlNetwork
    private var actors: [String: any NamedCalls] = [:]
    private var known: Set<String> = []
    /// The connection over which each process was heard last.
    private var heardOver: [String: Int] = [:]
    private var calls: [Call] = []
    private var lastCall: UInt64 = 0
    private var answered: [String: AnsweredCalls] = [:]
    private var superseded: Set<UInt64> = []
    /// The newest request of each worker to join.
    private var joinings: [String: [UInt8]] = [:]
    private(set) var incarnation: UInt64
    var generation: UInt32 = 0

    /// - Parameter incarnation: of a coordinator; 0 for a worker.
    init(_ own: SimulatedProcess, incarnation: UInt64, in network: SimulatedControlNetwork) {
        self.own = own
        self.network = network
        self.incarnation = incarnation
        isCoordinator = incarnation != 0
        (events, eventsEnd) = AsyncStream.makeStream()
        network.add(self)
    }

    var openCalls: Int { calls.count }

    func isConnected(to process: String) -> Bool { known.contains(process) }

    func withCalls<Result>(_ body: () async throws -> Result) async rethrows -> Result { try await body() }

    // MARK: Calling

    @TaskLocal static var simulation: Simulation?
    @TaskLocal static var deadline: ContinuousClock.Instant?
    private static let callLimit = Duration.seconds(10)
    private static let errors: [String: any WireError.Type] = [
        ClusterError.wireName: ClusterError.self, WorkerFailure.wireName: WorkerFailure.self,
        JoinRefused.wireName: JoinRefused.self,
    ]

    static func within<Result>(_ limit: Duration, _ body: () async throws -> Result) async rethrows -> Result {
        guard let simulation else { preconditionFailure("a call outside of a simulation") }
        return try await $deadline.withValue(simulation.now + limit, operation: body)
    }

    private func call(_ to: ActorAddress, _ target: String, _ payload: [UInt8]) async throws -> [UInt8] {
        if isCoordinator, !known.contains(to.process) { throw ClusterError.unknown(process: to.process) }
        let limit = Self.deadline.map { $0 - own.now } ?? Self.callLimit
        lastCall += 1
        let number = lastCall
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                let deadline = own.simulation.after(limit, in: own) { [self] in
                    settle(number)?.continuation.resume(
                        throwing: ClusterError.deadline(call: target, process: to.process))
                }
                let call = Call(
                    number: number, to: to.process, target: target, payload: payload, generation: generation,
                    incarnation: incarnation, continuation: continuation, deadline: deadline)
                calls.append(call)
                send(call)
            }
        } onCancel: {
            settle(number)?.continuation.resume(throwing: CancellationError())
        }
    }

    private func send(_ call: Call) {
        network.send(
            .call(
                number: call.number, settledBelow: calls.map(\.number).min() ?? call.number, target: call.target,
                payload: call.payload, generation: call.generation, incarnation: call.incarnation),
            from: self, to: call.to)
    }

    private func settle(_ number: UInt64) -> Call? {
        guard let place = calls.firstIndex(where: { $0.number == number }) else { return nil }
        calls[place].deadline.isCancelled = true
        return calls.remove(at: place)
    }

    // MARK: Connections

    /// A connection was made: the worker speaks first.
    func connected(to process: String) {
        network.send(.greeting, from: self, to: process)
        for call in calls where call.to == process { send(call) }
    }

    /// This end notices that a connection has ended, or that the other end is silent.
    func lose(_ process: String, connection: Int) {
        guard heardOver[process] == connection, known.remove(process) != nil else { return }
        own.simulation.note("\(own.name) loses \(process)")
        if isCoordinator {
            for call in calls where call.to == process {
                settle(call.number)?.continuation.resume(throwing: ClusterError.lost(process: process))
            }
        }
        eventsEnd.yield(.lost(process: process, generation: generation))
    }

    func arrived(
        _ message: SimulatedControlNetwork.Message, from sender: String, incarnation current: UInt64, connection: Int
    ) {
        // The end of a connection is seen before the first message of the next one.
        if let last = heardOver[sender], last != connection { lose(sender, connection: last) }
        if !isCoordinator, !adopt(current) { return }
        heardOver[sender] = connection
        if known.insert(sender).inserted {
            if isCoordinator { network.send(.greeting, from: self, to: sender) }
            for call in calls where call.to == sender { send(call) }
            eventsEnd.yield(.found(process: sender))
        }
        switch message {
        case .greeting: return
        case .call(let number, let settledBelow, let target, let payload, let generation, let incarnation):
            switch answered[sender, default: AnsweredCalls()].arrived(number, settledBelow: settledBelow) {
            case .execute:
                execute(number, target, payload, generation: generation, incarnation: incarnation, for: sender)
            case .repeatAnswer(let bytes):
                network.count(.repeatedAnswer)
                network.send(.answer(number: number, bytes: bytes), from: self, to: sender)
            case .ignore: network.count(.repeatedCall)
            case .refuse: network.send(.answer(number: number, bytes: [0]), from: self, to: sender)
            }
        case .answer(let number, let bytes):
            guard let call = settle(number) else { return }
            if bytes.first == 1 {
                call.continuation.resume(returning: Array(bytes.dropFirst()))
            } else {
                call.continuation.resume(
                    throwing: Wire.decode(failure: Array(bytes.dropFirst()), known: Self.errors))
            }
        }
    }

    /// Follows the coordinator's incarnation; false for messages of one that has ended.
    private func adopt(_ current: UInt64) -> Bool {
        guard !superseded.contains(current) else { return false }
        let former = incarnation
        incarnation = current
        if former != current, former != 0 {
            superseded.insert(former)
            answered["coordinator"] = nil
            eventsEnd.yield(.coordinatorChanged(incarnation: current))
        }
        return true
    }

    private func execute(
        _ number: UInt64, _ target: String, _ payload: [UInt8], generation sender: UInt32,
        incarnation calling: UInt64, for caller: String
    ) {
        own.simulation.note("\(own.name) executes \(target) \(number) for \(caller)")
        network.onCall(process, target, .arrives)
        if target == "coordinator.join" { joinings[caller] = payload }
        let stale: ClusterError? =
            calling != 0 && calling != incarnation
            ? .staleIncarnation(received: calling, current: incarnation)
            : sender != 0 && sender < generation ? .staleGeneration(received: sender, current: generation) : nil
        let actor = actors[target.split(separator: ".").first.map(String.init) ?? ""]
        let (arrival, freezes) = (own.simulation.passed, own.freezes)
        Task(executorPreference: own) { [self] in
            var bytes: [UInt8]
            do {
                if let stale { throw stale }
                guard let actor, let result = try await actor.result(of: target, payload) else {
                    throw ClusterError.noFunction(target, of: ActorAddress(process: process, name: "?"))
                }
                bytes = [1] + result.payload
                if target == "worker.form" { try checkFormed(result.payload) }
                if target == "worker.abort" { checkAborted(sender, since: arrival, freezes: freezes) }
            } catch {
                checkRefused(error, target)
                bytes = [0] + Wire.encode(failure: error)
            }
            network.onCall(process, target, .isAnswered)
            guard isCoordinator || calling == incarnation else { return }
            answered[caller, default: AnsweredCalls()].answered(number, with: bytes)
            network.send(.answer(number: number, bytes: bytes), from: self, to: caller)
        }
    }

    /// Once a generation is formed, no gradient of an earlier one may be committed.
    private func checkFormed(_ answer: [UInt8]) throws {
        guard let step = try Wire.decode(HeldState.self, from: answer[...]).keptStep else { return }
        network.complain("\(process) formed a generation and kept the gradient of step \(step)")
    }

    /// An abort ends every wait of its generation, and takes no time.
    private func checkAborted(_ generation: UInt32, since arrival: Duration, freezes: Int) {
        let passed = own.simulation.passed - arrival
        if passed > .zero, own.freezes == freezes { network.complain("\(process) ended a generation after \(passed)") }
        if let waiting = own.waitsInGeneration, waiting <= generation {
            network.complain("\(process) waits in generation \(waiting), which was ended")
        }
    }

    /// The coordinator decides by the reports that workers make for the generation, and tells all of them of a commit:
    /// so none is told to do what does not follow from its state.
    private func checkRefused(_ error: any Error, _ target: String) {
        guard case .outOfOrder = error as? WorkerFailure else { return }
        network.complain("\(process) refused \(target): \(error)")
    }

    /// - Returns: whether the process has joined.
    func executeJoiningAgain(of worker: String) -> Bool {
        guard let payload = joinings[worker], let actor = actors["coordinator"] else { return false }
        Task(executorPreference: own) { _ = try? await actor.result(of: "coordinator.join", payload) }
        return true
    }

    // MARK: Actors

    func assignID<Act: DistributedActor>(_ type: Act.Type) -> ActorID where Act.ID == ActorID {
        ActorAddress(process: process, name: isCoordinator ? "coordinator" : "worker")
    }

    func actorReady<Act: DistributedActor>(_ actor: Act) where Act.ID == ActorID {
        guard let named = actor as? any NamedCalls else { preconditionFailure("\(Act.self) names no calls") }
        actors[actor.id.name] = named
    }

    func resignID(_ id: ActorID) {}

    func resolve<Act: DistributedActor>(id: ActorID, as type: Act.Type) throws -> Act? where Act.ID == ActorID { nil }

    func makeInvocationEncoder() -> InvocationEncoder { InvocationEncoder() }

    func remoteCall<Act: DistributedActor, Err: Error, Res: Codable>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type,
        returning: Res.Type
    ) async throws -> Res where Act.ID == ActorID {
        try Wire.decode(Res.self, from: try await call(actor, target, invocation)[...])
    }

    func remoteCallVoid<Act: DistributedActor, Err: Error>(
        on actor: Act, target: RemoteCallTarget, invocation: inout InvocationEncoder, throwing: Err.Type
    ) async throws where Act.ID == ActorID {
        _ = try await call(actor, target, invocation)
    }

    private func call<Act: DistributedActor>(
        _ actor: Act, _ target: RemoteCallTarget, _ invocation: InvocationEncoder
    ) async throws -> [UInt8] where Act.ID == ActorID {
        guard let type = Act.self as? any NamedCalls.Type else { preconditionFailure("\(Act.self) names no calls") }
        return try await call(actor.id, type.wireName(of: target), invocation.payload)
    }
}
