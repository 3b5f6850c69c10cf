internal import Transport

/// The ZeroMQ endpoint at which the other ranks of the next generation find this process. Belongs to the data thread.
struct OpenEndpoint: ~Copyable {
    let context: Context
    let place: MeshPlace
    let refusals: RefusalCount
    private var listener: MeshListener?
    private var opened: (generation: UInt32, canceller: MeshCanceller)?

    init(context: Context, place: MeshPlace, refusals: RefusalCount) {
        self.context = context
        self.place = place
        self.refusals = refusals
    }

    /// Opens the endpoint for `generation`. An endpoint of another generation must be closed first.
    mutating func open(generation: UInt32) throws -> (peer: MeshPeer, canceller: MeshCanceller) {
        let made = try MeshListener(
            at: place.endpoint(generation: generation), keys: place.keys, in: context, refusals: refusals)
        let peer = MeshPeer(endpoint: place.reachable(made.endpoint), key: place.keys?.publicKey)
        let canceller = made.canceller
        listener = consume made
        opened = (generation, canceller)
        return (peer, canceller)
    }

    /// The canceller of the endpoint if it is open for `generation`.
    func canceller(of generation: UInt32) -> MeshCanceller? {
        opened?.generation == generation ? opened?.canceller : nil
    }

    mutating func close() {
        opened = nil
        listener = nil
    }

    /// Hands the listener over to the mesh that forms.
    mutating func take() -> MeshListener {
        guard let listener = listener.take() else { preconditionFailure("a mesh without an endpoint") }
        opened = nil
        return listener
    }
}
