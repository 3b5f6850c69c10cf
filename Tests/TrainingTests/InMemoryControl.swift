import Distributed
import Synchronization

@testable import Cluster

/// A control plane whose processes are all in this one: calls are encoded and decoded as on the wire, and a script
/// decides which of them are lost.
final class InMemoryControl: ControlPlane {
    typealias ActorID = ActorAddress
    typealias SerializationRequirement = any Codable
    typealias InvocationEncoder = Cluster.InvocationEncoder
    typealias InvocationDecoder = Cluster.InvocationDecoder
    typealias ResultHandler = Cluster.ResultHandler

    let process: String
    let incarnation: UInt64
    let largestAnswer = 4 << 20
    private let network: InMemoryNetwork
    private let actors = Mutex<[String: any NamedCalls]>([:])
    private let newest = Mutex<UInt32>(0)

    init(_ process: String, incarnation: UInt64 = 1, in network: InMemoryNetwork) {
        self.process = process
        self.incarnation = incarnation
        self.network = network
        network.add(self)
    }

    var generation: UInt32 {
        get { newest.withLock { $0 } }
        set { newest.withLock { $0 = newValue } }
    }

    func withCalls<Result>(_ body: () async throws -> Result) async rethrows -> Result { try await body() }

    static func within<Result>(_ limit: Duration, _ body: () async throws -> Result) async rethrows -> Result {
        try await body()
    }

    // MARK: Actors

    func assignID<Act: DistributedActor>(_ type: Act.Type) -> ActorID where Act.ID == ActorID {
        ActorAddress(process: process, name: "worker")
    }

    func actorReady<Act: DistributedActor>(_ actor: Act) where Act.ID == ActorID {
        guard let actor = actor as? any NamedCalls else { preconditionFailure("\(Act.self) names no calls") }
        actors.withLock { $0["worker"] = actor }
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
        return try await network.call(
            actor.id.process, type.wireName(of: target), invocation.payload, generation: generation)
    }

    /// Executes a call that has arrived.
    func answer(_ name: String, _ payload: [UInt8], generation sender: UInt32) async throws -> [UInt8] {
        let current = generation
        guard sender == 0 || sender >= current else {
            throw ClusterError.staleGeneration(received: sender, current: current)
        }
        guard let actor = actors.withLock({ $0["worker"] }),
            let result = try await actor.result(of: name, payload)
        else { throw ClusterError.noActor(ActorAddress(process: process, name: "worker")) }
        return result.payload
    }
}

/// Connects the processes of ``InMemoryControl``, and makes faults happen.
final class InMemoryNetwork: Sendable {
    /// What happens at a call of a worker.
    enum Fault: CaseIterable, Sendable {
        /// The connection drops before the call arrives, or before its answer does; both processes live.
        case lostBefore
        case lostAfter
        /// The worker's process ends before the call, or after it.
        case diesBefore
        case diesAfter
        /// The worker's last request to join arrives a second time, before the call.
        case joinsAgain

        var isDeath: Bool { self == .diesBefore || self == .diesAfter }
    }

    /// A call: the worker, the name, and which of its calls of that name, from 1.
    struct Call: Hashable, Sendable {
        let process: String
        let name: String
        let number: Int
    }

    private struct State {
        var processes: [String: InMemoryControl] = [:]
        var dead: Set<String> = []
        var calls: [String: Int] = [:]
        var happened: [Call: Fault] = [:]
    }

    private let script: @Sendable (Call) -> Fault?
    private let mostFaults: Int
    private let state = Mutex(State())
    /// Called when a fault happens to a process.
    private let happens = Mutex<@Sendable (String, Fault) async -> Void>({ _, _ in })

    /// - Parameters:
    ///   - mostFaults: so that every run ends.
    ///   - script: what happens at a call; it must not depend on the order of calls to different workers.
    init(mostFaults: Int = .max, _ script: @escaping @Sendable (Call) -> Fault?) {
        self.mostFaults = mostFaults
        self.script = script
    }

    func add(_ system: InMemoryControl) { state.withLock { $0.processes[system.process] = system } }

    func whenItHappens(_ body: @escaping @Sendable (String, Fault) async -> Void) { happens.withLock { $0 = body } }

    var happened: [Call: Fault] { state.withLock { $0.happened } }

    /// How often each worker was called by each name: `worker-0 worker.run`.
    var calls: [String: Int] { state.withLock { $0.calls } }

    func call(_ process: String, _ name: String, _ payload: [UInt8], generation: UInt32) async throws -> [UInt8] {
        let (system, fault) = state.withLock { state -> (InMemoryControl?, Fault?) in
            guard !state.dead.contains(process) else { return (nil, nil) }
            let number = (state.calls["\(process) \(name)"] ?? 0) + 1
            state.calls["\(process) \(name)"] = number
            let call = Call(process: process, name: name, number: number)
            guard state.happened.count < mostFaults, let fault = script(call) else {
                return (state.processes[process], nil)
            }
            state.happened[call] = fault
            return (state.processes[process], fault)
        }
        guard let system else { throw ClusterError.lost(process: process) }
        if fault == .joinsAgain { await happens.withLock { $0 }(process, .joinsAgain) }
        guard let fault, fault != .joinsAgain else {
            return try await answer(of: system, name, payload, generation)
        }
        if fault == .lostAfter || fault == .diesAfter { _ = try? await answer(of: system, name, payload, generation) }
        if fault.isDeath { _ = state.withLock { $0.dead.insert(process) } }
        await happens.withLock { $0 }(process, fault)
        throw ClusterError.lost(process: process)
    }

    /// A caller that is cancelled does not wait; the call is executed all the same.
    private func answer(of system: InMemoryControl, _ name: String, _ payload: [UInt8], _ generation: UInt32)
        async throws -> [UInt8]
    {
        let (answers, end) = AsyncStream<Result<[UInt8], any Error>>.makeStream()
        Task {
            do { end.yield(.success(try await system.answer(name, payload, generation: generation))) } catch {
                end.yield(.failure(error))
            }
            end.finish()
        }
        for await answer in answers { return try answer.get() }
        throw CancellationError()
    }
}
