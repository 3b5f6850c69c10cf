package import Distributed

/// A distributed actor whose calls have names of their own on the wire, such as `worker.step`: code that moves to
/// another module renames no call, and a received name can reach no other function.
package protocol NamedCalls: DistributedActor {
    /// Before the point of each name.
    static var wireName: String { get }

    /// Executes the call of that name on this actor, which is local.
    /// - Returns: nil if no call has this name.
    nonisolated func answer(_ call: inout IncomingCall) async throws -> CallResult?
}

/// A received call: the name of its function, and its arguments in order.
package struct IncomingCall: Sendable {
    package let function: String
    private var arguments: InvocationDecoder

    init(_ function: some StringProtocol, _ payload: [UInt8]) {
        self.function = String(function)
        arguments = InvocationDecoder(payload)
    }

    /// The next argument.
    /// - Throws: ``ClusterError/undecodable(_:)``.
    package mutating func argument<Argument: Codable>() throws -> Argument { try arguments.decodeNextArgument() }
}

/// The encoded result of a call.
package struct CallResult: Sendable {
    let payload: [UInt8]

    package init(_ value: some Codable) throws { payload = try Wire.encode(value) }

    private init() { payload = [] }

    /// Of a function that returns nothing.
    package static let nothing = CallResult()
}

/// An error that is rethrown at the caller with its own type; others arrive as
/// ``ClusterError/remote(type:description:)``.
package protocol WireError: Error, Codable, Sendable {
    /// The name of its type on the wire.
    static var wireName: String { get }
}

extension NamedCalls {
    /// The name of one of its functions on the wire.
    static func wireName(of target: RemoteCallTarget) -> String {
        // Written as `Coordination.Worker.step(_:)`.
        let function = target.description.prefix { $0 != "(" }.split(separator: ".").last ?? ""
        return "\(wireName).\(function)"
    }

    /// Executes a received call.
    /// - Returns: nil if it names no call of this type.
    nonisolated func result(of target: String, _ payload: [UInt8]) async throws -> CallResult? {
        let name = Self.wireName
        guard target.hasPrefix(name), target.dropFirst(name.count).first == "." else { return nil }
        var call = IncomingCall(target.dropFirst(name.count + 1), payload)
        return try await answer(&call)
    }
}
