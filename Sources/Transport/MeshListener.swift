/// The socket at which a rank of the next generation can be reached before it knows the others.
///
/// Rendezvous: each worker opens a listener and reports its endpoint; the coordinator sends everyone the roster; each
/// worker turns its listener into a ``ZeroMQMesh``. A listener serves one generation.
package struct MeshListener: ~Copyable {
    /// Where the others connect to.
    package let endpoint: String
    /// Stops the forming and, later, the mesh.
    package let canceller: MeshCanceller
    let socket: Socket
    let context: Context
    let keys: KeyPair?
    let refusals: RefusalCount
    let monitor: SocketMonitor

    /// Listens at `endpoint`, for example `ipc:///run/x/rank-3` or `tcp://0.0.0.0:*`.
    ///
    /// With `keys` the links are encrypted, and the context's ``Authenticator`` decides who is admitted.
    package init(
        at endpoint: String, keys: KeyPair?, in context: Context, refusals: RefusalCount = RefusalCount()
    ) throws(ZeroMQError) {
        var options = MeshListener.options
        if let keys { options.security = .server(keys) }
        let socket = try Socket(.router, in: context, options: options)
        let monitor = try SocketMonitor(socket, in: context)
        let bound = try socket.bind(endpoint)
        let canceller = try MeshCanceller()
        self.endpoint = bound
        self.canceller = canceller
        self.socket = socket
        self.context = context
        self.keys = keys
        self.refusals = refusals
        self.monitor = monitor
    }

    /// Data links send no heartbeats: a worker that computes leaves its queue full for seconds, which libzmq would
    /// mistake for a dead link. Loss without a disconnect is noticed by the control plane, which cancels the mesh.
    static var options: SocketOptions {
        var options = SocketOptions()
        options.highWaterMark = 32
        return options
    }

    /// Connects to every other rank and waits until all links are established in both directions.
    /// - Parameter early: see ``begun(rank:roster:others:early:until:)``.
    /// - Throws: ``MeshError``; `deadline` names the ranks whose links are not established, `unreachable` those whose
    ///   addresses refuse them.
    package consuming func mesh(
        rank: Int, roster: MeshRoster, early: Int = 0, deadline: ContinuousClock.Instant
    ) throws(MeshError) -> ZeroMQMesh {
        let mesh = try begun(rank: rank, roster: roster, early: early, until: deadline)
        try mesh.form(deadline: deadline)
        return mesh
    }

    /// Begins to connect to the other ranks. No link ends as long as the mesh exists, also if it cannot be formed.
    /// - Parameters:
    ///   - others: the ranks to link with; nil for all.
    ///   - early: bytes that may arrive before all links are there, beyond ``FrameInbox/byteLimit``: a state that this
    ///     rank is to receive.
    package consuming func begun(
        rank: Int, roster: MeshRoster, others: Set<Int>? = nil, early: Int = 0,
        until deadline: ContinuousClock.Instant
    ) throws(MeshError) -> ZeroMQMesh {
        let roster = try roster.numbered(for: rank, until: deadline, canceller)
        do throws(ZeroMQError) {
            return try ZeroMQMesh(self, rank: rank, roster: roster, others: others, early: early)
        } catch {
            throw MeshError(error)
        }
    }
}

extension MeshError {
    init(_ error: ZeroMQError) { self = .socket(operation: error.operation, code: error.code) }
}
