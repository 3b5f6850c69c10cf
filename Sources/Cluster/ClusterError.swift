/// Why a distributed call failed for a reason other than an error of the actor itself.
package enum ClusterError: Error, Equatable, Codable, Sendable, CustomStringConvertible {
    /// No answer before the call's deadline. Whether the call was executed is not known.
    case deadline(call: String, process: String)
    /// The connection to the process ended, or it was silent for too long.
    case lost(process: String)
    /// No process of that name is connected.
    case unknown(process: String)
    /// The caller belongs to a generation that has ended.
    case staleGeneration(received: UInt32, current: UInt32)
    /// The caller belongs to an incarnation of the coordinator that has ended.
    case staleIncarnation(received: UInt64, current: UInt64)
    /// The system was shut down, at this end or the other.
    case shutDown
    case noActor(ActorAddress)
    /// The actor has no such distributed function.
    case noFunction(String, of: ActorAddress)
    /// Arguments or result cannot be decoded as their declared types.
    case undecodable(String)
    case tooLarge(bytes: Int, limit: Int)
    /// The caller has more calls in progress at this process than allowed.
    case busy(limit: Int)
    /// The actor threw an error of a type that does not cross the wire.
    case remote(type: String, description: String)

    package var description: String {
        switch self {
        case .deadline(let call, let process):
            "\(process) did not answer \(call) in time: look at its log, or allow more time"
        case .lost(let process): "\(process) is lost: its connection ended or it fell silent"
        case .unknown(let process): "no process named \(process) is connected: it never joined, or is lost"
        case .staleGeneration(let received, let current):
            "generation \(received) has ended, \(current) is current: join again"
        case .staleIncarnation(let received, let current):
            "the coordinator's run \(received) has ended, \(current) is current: join again"
        case .shutDown: "the actor system is shut down"
        case .noActor(let address): "there is no actor \(address): it was never created, or has ended"
        case .noFunction(let name, let address): "\(address) has no function \(name): do both ends run the same build?"
        case .undecodable(let what): "\(what): do both ends run the same build?"
        case .tooLarge(let bytes, let limit):
            "a call of \(bytes) bytes exceeds \(limit): tensors and shards travel on the data plane"
        case .busy(let limit): "over \(limit) calls are in progress at once: wait for some of them"
        case .remote(let type, let description): "\(type): \(description)"
        }
    }
}

extension ClusterError: WireError {
    package static var wireName: String { "cluster-error" }
}
