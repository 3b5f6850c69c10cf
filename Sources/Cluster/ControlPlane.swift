package import Distributed

/// An actor system as a coordinator uses it: over sockets, or within one process for tests.
package protocol ControlPlane: CodableActorSystem where ActorID == ActorAddress {
    /// The generation of this process, in every message; 0 for none.
    var generation: UInt32 { get nonmutating set }
    /// The coordinator's incarnation.
    var incarnation: UInt64 { get }
    /// Processes found and lost. For one reader.
    var events: AsyncStream<PeerEvent> { get }
    /// Maximum size of an answer in bytes.
    var largestAnswer: Int { get }

    /// Whether a process can be called: it was heard from, and is not lost.
    func isConnected(to process: String) -> Bool

    /// Makes the calls within `body` in the way that is the cheapest.
    func withCalls<Result>(_ body: () async throws -> Result) async rethrows -> Result

    /// Sets the deadline of the distributed calls within `body`.
    static func within<Result>(_ limit: Duration, _ body: () async throws -> Result) async rethrows -> Result
}

extension ZeroMQActorSystem: ControlPlane {}
