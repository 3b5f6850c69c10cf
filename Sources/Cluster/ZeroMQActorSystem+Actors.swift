package import Distributed
internal import Synchronization

/// An actor of this process that can be called.
struct LocalActor: Sendable {
    weak var actor: (any DistributedActor)?
    /// The mangled name of the actor's type.
    let type: String

    /// Whether `target` is a function of this type.
    ///
    /// The runtime would call any function by name, even of another type. A function's mangled name begins with
    /// its type's; for a generic type, its arguments follow after a `y`.
    func has(_ target: String) -> Bool {
        guard target.hasPrefix("$s") else { return false }
        var last: UInt8?
        var function = target.utf8.dropFirst(2).makeIterator()
        for byte in type.utf8 {
            guard function.next() == byte else { return last == UInt8(ascii: "C") && byte == UInt8(ascii: "y") }
            last = byte
        }
        return true
    }
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
        let type = _mangledTypeName(Act.self) ?? ""
        actors.withLock { actors in
            precondition(actors[actor.id.name]?.actor == nil, "there are two actors \(actor.id)")
            actors[actor.id.name] = LocalActor(actor: actor, type: type)
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
        let state = state
        let handler = ResultHandler { kind, payload in
            let limit = state.options.largestCall
            guard payload.count > limit else { return state.answer(call, kind, payload) }
            state.answer(
                call, .failure, Wire.encode(failure: ClusterError.tooLarge(bytes: payload.count, limit: limit)))
        }
        do {
            let address = ActorID(process: process, name: call.envelope.recipient)
            let local = actors.withLock { $0[address.name] }
            guard let local, let actor = local.actor else { throw ClusterError.noActor(address) }
            guard local.has(call.envelope.target) else {
                throw ClusterError.noFunction(call.envelope.target, of: address)
            }
            var decoder = InvocationDecoder(call.envelope.payload)
            let target = RemoteCallTarget(call.envelope.target)
            try await executeDistributedTarget(on: actor, target: target, invocationDecoder: &decoder, handler: handler)
        } catch {
            try? await handler.onThrow(error: error)
        }
    }
}
