package import Cluster

/// The calls of a worker, by their names on the wire. A change raises ``ProtocolNumbers/control``.
package enum WorkerCall: String, CaseIterable, Sendable {
    case prepare
    case form
    case step
    case commit
    case evaluate
    case stateHash
    case computeFeatures
    case sendState
    case nonFiniteLane
    case abort
    case leave
}

extension Worker: NamedCalls {
    package static var wireName: String { "worker" }

    package nonisolated func answer(_ call: inout IncomingCall) async throws -> CallResult? {
        guard let function = WorkerCall(rawValue: call.function) else { return nil }
        switch function {
        case .prepare: return try CallResult(await prepare(generation: call.argument(), keys: call.argument()))
        case .form: return try CallResult(await form(call.argument()))
        case .step: return try CallResult(await step(call.argument()))
        case .commit: try await commit(call.argument())
        case .evaluate: return try CallResult(await evaluate(chunks: call.argument(), of: call.argument()))
        case .stateHash: return try CallResult(await stateHash())
        case .computeFeatures: try await computeFeatures(chunks: call.argument())
        case .sendState: try await sendState()
        case .nonFiniteLane: return try CallResult(await nonFiniteLane())
        case .abort: try await abort()
        case .leave: try await leave(call.argument())
        }
        return .nothing
    }
}

/// The calls of the coordinator, likewise.
package enum CoordinatorCall: String, CaseIterable, Sendable {
    case arithmetic
    case join
}

extension Coordinator: NamedCalls {
    package static var wireName: String { "coordinator" }

    package nonisolated func answer(_ call: inout IncomingCall) async throws -> CallResult? {
        guard let function = CoordinatorCall(rawValue: call.function) else { return nil }
        switch function {
        case .arithmetic: return try CallResult(await arithmetic())
        case .join: try await join(call.argument(), call.argument())
        }
        return .nothing
    }
}

extension WorkerFailure: WireError {
    package static var wireName: String { "worker-failure" }
}

extension JoinRefused: WireError {
    package static var wireName: String { "join-refused" }
}
