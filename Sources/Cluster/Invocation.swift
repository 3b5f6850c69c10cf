package import Distributed
internal import Files
internal import Foundation

/// The arguments of a distributed call: their number, then each as a byte count and its bytes.
package struct InvocationEncoder: DistributedTargetInvocationEncoder {
    package typealias SerializationRequirement = any Codable

    private var arguments: [[UInt8]] = []

    package mutating func recordGenericSubstitution<T>(_ type: T.Type) throws {
        // A distributed actor may be generic over its actor system, which both ends know. No other type is sent as a
        // type: a receiver must not look types up by names from the wire.
        guard type is any CodableActorSystem.Type else {
            throw ClusterError.undecodable("a distributed call cannot be generic over \(type)")
        }
    }

    package mutating func recordArgument<Value: Codable>(_ argument: RemoteCallArgument<Value>) throws {
        arguments.append(try Wire.encode(argument.value))
    }

    package mutating func recordErrorType<E: Error>(_ type: E.Type) throws {}
    package mutating func recordReturnType<R: Codable>(_ type: R.Type) throws {}
    package mutating func doneRecording() throws {}

    /// The payload of a call with these arguments.
    package static func payload(of arguments: [any Codable & Sendable]) -> [UInt8] {
        var encoder = InvocationEncoder()
        encoder.arguments = arguments.compactMap { try? Wire.encode($0) }
        return encoder.payload
    }

    var payload: [UInt8] {
        var bytes: [UInt8] = []
        for argument in arguments {
            bytes.append(integer: UInt32(argument.count))
            bytes += argument
        }
        return bytes
    }
}

/// Reads what ``InvocationEncoder`` wrote.
package struct InvocationDecoder: DistributedTargetInvocationDecoder {
    package typealias SerializationRequirement = any Codable

    private var rest: ArraySlice<UInt8>

    package init(_ payload: [UInt8]) { rest = payload[...] }

    package mutating func decodeGenericSubstitutions() throws -> [any Any.Type] { [ZeroMQActorSystem.self] }

    package mutating func decodeNextArgument<Argument: Codable>() throws -> Argument {
        guard rest.count >= 4 else { throw ClusterError.undecodable("an argument of type \(Argument.self) is missing") }
        let count = Int(rest.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) })
        guard rest.count - 4 >= count else {
            throw ClusterError.undecodable("an argument of type \(Argument.self) is cut short")
        }
        let bytes = rest.dropFirst(4).prefix(count)
        rest = rest.dropFirst(4 + count)
        return try Wire.decode(Argument.self, from: bytes)
    }

    package mutating func decodeErrorType() throws -> (any Any.Type)? { nil }
    package mutating func decodeReturnType() throws -> (any Any.Type)? { nil }
}

/// Required of every actor system, and not used: calls are executed by their names, see ``NamedCalls``.
package struct ResultHandler: DistributedTargetInvocationResultHandler {
    package typealias SerializationRequirement = any Codable

    package func onReturn<Success: Codable>(value: Success) async throws {}
    package func onReturnVoid() async throws {}
    package func onThrow<Err: Error>(error: Err) async throws {}
}

/// The encoding of values: 64-bit words if a type supports them, otherwise JSON, which keeps the bits of every finite
/// float.
enum Wire {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        if let value = value as? any WordCoded { return value.words.bytes }
        let encoder = JSONEncoder()
        encoder.takesAllNumbers()
        return Array(try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: ArraySlice<UInt8>) throws -> Value {
        if let words = type as? any WordCoded.Type {
            guard let value = [UInt64](bytes: bytes).flatMap({ words.init(words: $0) }) as? Value else {
                throw ClusterError.undecodable("\(bytes.count) bytes are not a \(type)")
            }
            return value
        }
        let data = Data(bytes)
        do { return try JSONDecoder.ofAllNumbers().decode(type, from: data) } catch {
            throw ClusterError.undecodable("\(data.count) bytes are not a \(type)")
        }
    }

    /// The encoding of a thrown error.
    private struct Failure: Codable {
        var type: String
        var description: String
        var value: Data?
    }

    static func encode(failure error: any Error) -> [UInt8] {
        let known = error as? any WireError
        let failure = Failure(
            type: known.map { type(of: $0).wireName } ?? String(reflecting: type(of: error)),
            description: "\(error)", value: known.flatMap { try? encode($0) }.map { Data($0) })
        return (try? encode(failure)) ?? []
    }

    /// The received error, with its own type if that is among `known`.
    static func decode(failure bytes: [UInt8], known: [String: any WireError.Type]) -> any Error {
        guard let failure = try? decode(Failure.self, from: bytes[...]) else {
            return ClusterError.undecodable("the remote error")
        }
        if let type = known[failure.type], let value = failure.value,
            let error = try? decode(type, from: Array(value)[...])
        {
            return error
        }
        return ClusterError.remote(type: failure.type, description: failure.description)
    }
}
