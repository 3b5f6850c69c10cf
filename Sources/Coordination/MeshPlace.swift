internal import Configuration
internal import Files
internal import Foundation
internal import Processes
package import Transport
internal import Wording

/// Where a process opens its data links.
package struct MeshPlace: Sendable {
    /// Which sockets, and where.
    package enum Kind: Sendable {
        /// Sockets in a private folder of this machine.
        case folder(String)
        /// Any free TCP port of one address of this machine, or of all of them: `*`.
        case address(String)
    }

    package let kind: Kind
    let keys: KeyPair?
    /// Half of the time after which a silent peer of a bulk link counts as lost.
    var heartbeatTimeout = Duration.seconds(3)
    /// Prevents removal of a launcher's folder while this process lives.
    private let hold: FolderHold?
    /// What carries frames between workers.
    var exchange = Exchange.links
    /// The coordinator's host as this process reaches it.
    private let coordinatorHost: String

    /// Next to the coordinator's socket if that is on this machine, else at the address of the route to it, or at that
    /// of `interface`.
    /// - Throws: ``InputError`` if there is no such address.
    package init(coordinator endpoint: String, interface: String? = nil, keys: KeyPair?) throws {
        self.keys = keys
        if endpoint.hasPrefix("ipc://") {
            let folder = FileSystem.parent(String(endpoint.dropFirst(6)))
            try SocketPath.check(folder: folder)
            kind = .folder(folder)
            hold = (folder as NSString).lastPathComponent.hasPrefix(AbandonedFolders.prefix) ? FolderHold(folder) : nil
            coordinatorHost = ""
            return
        }
        hold = nil
        guard let place = HostAddress(endpoint: endpoint) else {
            throw InputError("'\(endpoint)' is not an endpoint: expected tcp://HOST:PORT or ipc://PATH")
        }
        coordinatorHost = place.host
        kind = .address(
            try interface.map { name throws(InputError) in try Self.address(of: name, isIPv6: place.isIPv6) }
                ?? place.localAddress())
    }

    /// - Parameter isIPv6: the family to prefer.
    private static func address(of interface: String, isIPv6: Bool) throws(InputError) -> String {
        let all = TCPProbe.interfaces
        let own = all.filter { $0.name == interface }
        if let found = own.first(where: { $0.isIPv6 == isIPv6 }) ?? own.first {
            return TCPProbe.bracketed(found.address)
        }
        var names: [String] = []
        for name in all.map(\.name) where !names.contains(name) { names.append(name) }
        throw InputError(
            "host \(ProcessInfo.processInfo.hostName) has no interface \(interface) with an address: it has "
                + "\(names.joined(separator: ", "))"
        )
    }

    func endpoint(generation: UInt32) -> String {
        switch kind {
        case .folder(let folder): "ipc://\(SocketPath.data(in: folder, generation: generation))"
        case .address(let address): "tcp://\(address):*"
        }
    }

    /// The endpoint for other hosts; only the port if this process listens at all addresses.
    func reachable(_ endpoint: String) -> String {
        guard case .address(let address) = kind, let port = endpoint.split(separator: ":").last else { return endpoint }
        return "tcp://\(address):\(port)"
    }

    /// The roster with the coordinator's host as this process knows it, where its host listens at all addresses.
    func completed(_ roster: MeshRoster) -> MeshRoster {
        func completed(_ endpoint: String) -> String {
            endpoint.hasPrefix("tcp://*:") ? "tcp://\(coordinatorHost):" + endpoint.dropFirst(8) : endpoint
        }
        var roster = roster
        for rank in roster.peers.indices {
            roster.peers[rank].endpoint = completed(roster.peers[rank].endpoint)
            if let bulk = roster.peers[rank].bulk { roster.peers[rank].bulk?.endpoint = completed(bulk.endpoint) }
        }
        return roster
    }
}
