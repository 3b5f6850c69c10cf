package import Transport

/// How the links of a process to the others of a generation are made: endpoints that are opened first, and then become
/// a mesh. Belongs to the data thread.
package protocol GenerationLinks: AnyObject {
    /// Opens the endpoints at which the other ranks of `generation` find this one, and closes those of another.
    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller)

    /// The canceller of the endpoints that are open for `generation`; nil if none are.
    func canceller(of generation: UInt32) -> MeshCanceller?

    /// Closes the endpoints, and links of a generation that was not formed. A mesh that was handed out stays.
    func close()

    /// Turns the open endpoints into the mesh of a generation.
    /// - Parameters:
    ///   - early: bytes of a state that this rank is to receive, which may arrive before all its links are established.
    ///   - limit: how long the links may take.
    func mesh(rank: Int, _ roster: MeshRoster, early: Int, within limit: Duration) throws(MeshError) -> any Mesh

    /// Whether no other thread than the data thread can use the mesh.
    var areBound: Bool { get }

    /// Ends MPI, together with all other workers.
    func leaveWorld()
}

extension GenerationLinks {
    package func leaveWorld() {}

    package var areBound: Bool { false }
}

/// The coordinator's links, all of them ZeroMQ's.
final class CoordinatorLinks: GenerationLinks {
    private var endpoint: OpenEndpoint
    /// Links of a generation that was not formed: they end with it, so that no worker reports them as lost before.
    private var unformed: ZeroMQMesh?

    init(context: Context, place: MeshPlace, refusals: RefusalCount) {
        endpoint = OpenEndpoint(context: context, place: place, refusals: refusals)
    }

    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        close()
        return try endpoint.open(generation: generation)
    }

    func canceller(of generation: UInt32) -> MeshCanceller? { endpoint.canceller(of: generation) }

    func close() {
        endpoint.close()
        unformed = nil
    }

    func mesh(rank: Int, _ roster: MeshRoster, early: Int, within limit: Duration) throws(MeshError) -> any Mesh {
        let listener = endpoint.take()
        let deadline = ContinuousClock.now + limit
        let links = try listener.begun(rank: rank, roster: roster, early: early, until: deadline)
        unformed = links
        try links.form(deadline: deadline)
        unformed = nil
        return TracedMesh.around(links)
    }
}
