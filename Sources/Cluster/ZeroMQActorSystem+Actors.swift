package import Distributed
internal import Synchronization

/// An actor of this process that can be called.
struct LocalActor: Sendable {
    weak var actor: (any NamedCalls)?
}

extension ZeroMQActorSystem {
    @TaskLocal static var nextName: String?

    /// Registers an actor under a name that others know, such as `coordinator`.
    package func named<Act: DistributedActor>(_ name: String, _ make: (ZeroMQActorSystem) throws -> Act) rethrows -> Act
    {
        try Self.$nextName.withValue(name) { try make(self) }
    }

    package func assignID<Act: DistributedActor>(_ type: Act.Type) -> ActorID where Act.ID == ActorID {
        let name = Self.nextName ?? "\(type)-\(UInt32.random(in: 0 ... .max))"
        precondition(
            name.utf8.count <= Envelope.longestName, "the actor name \(name) exceeds \(Envelope.longestName) bytes")
        return ActorID(process: process, name: name)
    }

    package func actorReady<Act: DistributedActor>(_ actor: Act) where Act.ID == ActorID {
        guard let named = actor as? any NamedCalls else { preconditionFailure("\(Act.self) names no calls") }
        actors.withLock { actors in
            precondition(actors[actor.id.name]?.actor == nil, "there are two actors \(actor.id)")
            actors[actor.id.name] = LocalActor(actor: named)
        }
    }

    package func resignID(_ id: ActorID) { actors.withLock { $0[id.name] = nil } }

    package func resolve<Act: DistributedActor>(id: ActorID, as type: Act.Type) throws -> Act? where Act.ID == ActorID {
        guard id.process == process else { return nil }
        guard let actor = actors.withLock({ $0[id.name]?.actor }) as? Act else { throw ClusterError.noActor(id) }
        return actor
    }

    /// Executes one call and answers it.
    func execute(_ call: ControlState.Incoming) async {
        do {
            let address = ActorID(process: process, name: call.envelope.recipient)
            let local = actors.withLock { $0[address.name] }
            guard let actor = local?.actor else { throw ClusterError.noActor(address) }
            guard let result = try await actor.result(of: call.envelope.target, call.envelope.payload) else {
                throw ClusterError.noFunction(call.envelope.target, of: address)
            }
            answer(call, .result, result.payload)
        } catch {
            answer(call, .failure, Wire.encode(failure: error))
        }
    }

    private func answer(_ call: ControlState.Incoming, _ kind: Envelope.Kind, _ payload: [UInt8]) {
        let limit = state.options.largestCall
        guard payload.count > limit else { return state.answer(call, kind, payload) }
        state.answer(call, .failure, Wire.encode(failure: ClusterError.tooLarge(bytes: payload.count, limit: limit)))
    }
}
