package import Transport

/// How the links of a process to the others of a generation are made: endpoints that are opened first, and then become
/// a mesh. Belongs to the data thread.
package protocol GenerationLinks: AnyObject {
    /// Opens the endpoints at which the other ranks of `generation` find this one, and closes those of another.
    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller)

    /// The canceller of the endpoints that are open for `generation`; nil if none are.
    func canceller(of generation: UInt32) -> MeshCanceller?

    func close()

    /// Turns the open endpoints into the mesh of a generation.
    /// - Parameter limit: how long the links may take.
    /// - Throws: ``MeshError``; for a worker's links also ``WorkerFailure/unlinked(ranks:_:)``.
    func mesh(rank: Int, _ roster: MeshRoster, within limit: Duration) throws -> any Mesh

    #if MPI
    /// Ends MPI, together with all other workers.
    func leaveWorld()
    #endif
}

/// The coordinator's links, all of them ZeroMQ's.
final class CoordinatorLinks: GenerationLinks {
    private let context: Context
    private let place: MeshPlace
    private let refusals: RefusalCount
    private var listener: MeshListener?
    /// Links of a generation that was not formed: they end with it, so that no worker reports them as lost before.
    private var unformed: ZeroMQMesh?
    /// Of the endpoint that is open.
    private var opened: (generation: UInt32, canceller: MeshCanceller)?

    init(context: Context, place: MeshPlace, refusals: RefusalCount) {
        self.context = context
        self.place = place
        self.refusals = refusals
    }

    func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        close()
        let made = try MeshListener(
            at: place.endpoint(generation: generation), keys: place.keys, in: context, refusals: refusals)
        let peer = MeshPeer(endpoint: place.reachable(made.endpoint), key: place.keys?.publicKey)
        let canceller = made.canceller
        listener = consume made
        opened = (generation, canceller)
        return (peer, canceller)
    }

    func canceller(of generation: UInt32) -> MeshCanceller? {
        opened?.generation == generation ? opened?.canceller : nil
    }

    func close() {
        opened = nil
        listener = nil
        unformed = nil
    }

    func mesh(rank: Int, _ roster: MeshRoster, within limit: Duration) throws -> any Mesh {
        guard let listener = listener.take() else { preconditionFailure("a mesh without an endpoint") }
        opened = nil
        let deadline = ContinuousClock.now + limit
        let links = try listener.begun(rank: rank, roster: roster, until: deadline)
        unformed = links
        try links.form(deadline: deadline)
        unformed = nil
        return links
    }

    #if MPI
    func leaveWorld() {}
    #endif
}
