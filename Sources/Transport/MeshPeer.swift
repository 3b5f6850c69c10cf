internal import Synchronization

/// Endpoint and identity of one rank of a generation; the coordinator sends every rank the list of all.
package struct MeshPeer: Codable, Equatable, Sendable {
    /// ``MeshListener/endpoint`` of that rank, with an address that the others can reach.
    package var endpoint: String
    /// The public key that the rank must prove; nil if links are plain.
    package var key: PublicKey?
    /// Where it takes bulk links; nil for the coordinator, and if its links stay on this machine.
    package var bulk: BulkPlace?
    /// Its process in MPI's world; nil for the coordinator, and if links carry everything.
    package var process: Int?

    package init(endpoint: String, key: PublicKey?) {
        self.endpoint = endpoint
        self.key = key
    }
}

/// Where a rank takes bulk links, and how it proves itself.
package struct BulkPlace: Codable, Equatable, Sendable {
    /// `tcp://HOST:PORT`, at which no other rank of the run listens.
    package var endpoint: String
    /// Nil for links in clear.
    package var certificate: CertificateDigest?

    package init(endpoint: String, certificate: CertificateDigest?) {
        self.endpoint = endpoint
        self.certificate = certificate
    }
}

/// The members of a mesh: one generation's ranks, as the coordinator formed them.
package struct MeshRoster: Codable, Equatable, Sendable {
    package var generation: UInt32
    /// A random number of this generation that strangers do not know; a link's first frame contains it.
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
    private let whenCancelled: (@Sendable () -> Void)?

    /// - Parameter whenCancelled: called at each ``cancel()``, for a mesh that does not wait for descriptors.
    package init(whenCancelled: (@Sendable () -> Void)? = nil) throws(ZeroMQError) {
        self.whenCancelled = whenCancelled
        wakeup = try Wakeup()
    }

    /// Makes the mesh's current call and every later one throw ``MeshError/cancelled``.
    package func cancel() {
        flag.store(true, ordering: .sequentiallyConsistent)
        wakeup.signal()
        whenCancelled?()
    }

    package var isCancelled: Bool { flag.load(ordering: .sequentiallyConsistent) }
}
