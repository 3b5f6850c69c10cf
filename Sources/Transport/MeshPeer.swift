internal import Synchronization

/// Where and who one rank of a generation is; the coordinator sends every rank the list of all.
package struct MeshPeer: Codable, Equatable, Sendable {
    /// What ``MeshListener/endpoint`` said on that rank, with an address that the others can reach.
    package var endpoint: String
    /// The key that the rank must prove to hold; nil where links are plain.
    package var key: PublicKey?
    #if MPI
    /// Its place in MPI's world; nil for the coordinator, and where links carry everything.
    package var process: Int?
    #endif

    package init(endpoint: String, key: PublicKey?) {
        self.endpoint = endpoint
        self.key = key
    }
}

/// Whom a mesh links: one generation's ranks, as the coordinator formed them.
package struct MeshRoster: Codable, Equatable, Sendable {
    package var generation: UInt32
    /// A random number of this generation that strangers do not know; a link shows it first.
    package var token: UInt64
    /// All ranks, in order.
    package var peers: [MeshPeer]

    package init(generation: UInt32, token: UInt64, peers: [MeshPeer]) {
        self.generation = generation
        self.token = token
        self.peers = peers
    }
}

/// Ends a mesh's waiting from another thread.
package final class MeshCanceller: Sendable {
    let wakeup: Wakeup
    private let flag = Atomic(false)

    init() throws(ZeroMQError) { wakeup = try Wakeup() }

    /// Makes the mesh's current call and every later one throw ``MeshError/cancelled``.
    package func cancel() {
        flag.store(true, ordering: .sequentiallyConsistent)
        wakeup.signal()
    }

    package var isCancelled: Bool { flag.load(ordering: .sequentiallyConsistent) }
}
