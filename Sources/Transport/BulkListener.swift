internal import CTLS
internal import Glibc

/// Where the other workers of the next generation open their bulk links to this one.
///
/// The kernel keeps connections until the generation's roster is known: none is accepted before. A listener serves
/// one generation, and ends once its links are established.
package final class BulkListener {
    package let place: BulkPlace
    private(set) var descriptor: Int32
    /// Nil for links in clear.
    let identity: TLSIdentity?
    let heartbeatTimeout: Duration
    /// Links of a generation that was not formed. They end with this listener: the ranks at their other ends must not
    /// report them as lost before this rank has reported which ones it misses.
    private var unused: (bulk: [BulkLink], others: ZeroMQMesh?) = ([], nil)

    /// Listens at any free port of an address of this machine.
    ///
    /// - Parameters:
    ///   - address: in endpoint form.
    ///   - identity: nil for links in clear.
    ///   - heartbeatTimeout: half of the time after which a silent peer counts as lost.
    /// - Throws: ``BulkLinkError`` if the address does not belong to this machine, or there is no descriptor left.
    package init(address: String, identity: TLSIdentity?, heartbeatTimeout: Duration) throws(BulkLinkError) {
        guard let target = SocketAddress(number: address == "*" ? "::" : address, port: 0) else {
            throw BulkLinkError("\(address) is not an address: bulk links need one of this machine")
        }
        let opened = try Self.socket(target.family)
        SocketMonitor.leaveSilentToKernel(opened)
        guard unsafe target.withPointer({ unsafe bind(opened, $0, $1) }) == 0, listen(opened, 1_024) == 0,
            let own = SocketAddress(ownOf: opened)
        else {
            let reason = systemReason()
            closeDescriptor(opened)
            throw BulkLinkError("bulk links cannot be taken at \(address): \(reason)")
        }
        descriptor = opened
        self.identity = identity
        self.heartbeatTimeout = heartbeatTimeout
        place = BulkPlace(endpoint: "tcp://\(address):\(own.port)", certificate: identity?.digest)
    }

    deinit { close() }

    /// Takes no more connections.
    func close() {
        if descriptor >= 0 { closeDescriptor(descriptor) }
        descriptor = -1
    }

    func keep(_ links: some Sequence<BulkLink>) { unused.bulk = Array(links) }

    func keep(_ links: ZeroMQMesh) { unused.others = links }

    private static func socket(_ family: Int32) throws(BulkLinkError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let opened = Glibc.socket(family, kind, 0)
        guard opened >= 0 else {
            throw BulkLinkError("no socket for bulk links: \(systemReason())")
        }
        return opened
    }

    enum Accepted {
        case connection(Int32)
        /// The kernel has none.
        case none
        /// There is one that cannot be taken, for want of a descriptor or memory: a wait for the listener would end at
        /// once.
        case exhausted
    }

    /// Takes a connection from the kernel.
    func accept() -> Accepted {
        while true {
            let accepted = apus_socket_accept(descriptor)
            guard accepted < 0 else { return .connection(accepted) }
            switch errno {
            case EAGAIN: return .none
            // It ended before it was taken, or was interrupted: there may be another one.
            case ECONNABORTED, EINTR, EPROTO: continue
            default: return .exhausted
            }
        }
    }

    /// Has the kernel notice a silent peer also while the link is idle.
    func tune(_ descriptor: Int32) {
        _ = apus_socket_tune(descriptor, Int32(max(1, heartbeatTimeout.milliseconds / 1_000)))
    }
}

func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
