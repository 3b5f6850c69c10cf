internal import Configuration
internal import Transport

/// A worker's data links: the endpoints that it opened for the next generation, and how they become a mesh.
///
/// Workers on a network exchange gradients, rows and states over bulk links. Samples, and links that stay on one
/// machine, are ZeroMQ's. Belongs to the data thread.
final class DataLinks: GenerationLinks {
    private var endpoint: OpenEndpoint
    private let place: MeshPlace
    /// Kept until the next one is opened.
    private var bulk: BulkListener?
    /// The certificate for this process's bulk links; nil before the first, and without keys.
    private var identity: TLSIdentity?
    /// Nil until the first generation, and if the links carry everything.
    private var world: MPIWorld?

    init(context: Context, place: MeshPlace, refusals: RefusalCount) {
        endpoint = OpenEndpoint(context: context, place: place, refusals: refusals)
        self.place = place
    }

    /// Opens the endpoints at which the other ranks of `generation` find this one.
    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        close()
        if place.exchange == .mpi, world == nil { world = try MPIWorld.begin() }
        if let address = bulkAddress {
            if place.keys != nil, identity == nil { identity = try TLSIdentity() }
            bulk = try BulkListener(address: address, identity: identity, heartbeatTimeout: place.heartbeatTimeout)
        }
        var (peer, canceller) = try endpoint.open(generation: generation)
        peer.bulk = bulk?.place
        peer.process = world?.rank
        return (peer, canceller)
    }

    /// Where bulk links are taken; nil if ZeroMQ's links or MPI carry everything.
    private var bulkAddress: String? {
        guard world == nil, case .address(let address) = place.kind else { return nil }
        return address
    }

    /// The canceller of the endpoints that are open for `generation`; nil if none are.
    func canceller(of generation: UInt32) -> MeshCanceller? { endpoint.canceller(of: generation) }

    func close() {
        endpoint.close()
        bulk = nil
    }

    /// Turns the open endpoints into the mesh of a generation.
    func mesh(rank: Int, _ roster: MeshRoster, early: Int, within limit: Duration) throws(MeshError) -> any Mesh {
        let roster = place.completed(roster)
        let links = try endpoint.take().mesh(
            rank: rank, roster: roster, bulk: bulk, early: early, deadline: .now + limit)
        return TracedMesh.around(world?.mesh(of: roster, over: links) ?? links)
    }

    /// MPI is called by the thread that began it.
    var areBound: Bool { world != nil }

    /// Ends MPI, together with all other workers.
    func leaveWorld() { world?.end() }
}
