internal import Cluster
internal import Transport
internal import Wording

/// Where the coordinator of a cluster file listens, and its address for the hosts.
struct CoordinatorEndpoint: Equatable, Sendable {
    let listening: String
    let reachable: String

    /// A socket of one host.
    init(socket: String) {
        listening = socket
        reachable = socket
    }

    /// Checks that the address belongs to this machine and can be reached by the hosts, and that the port is free;
    /// chooses a port if none is given.
    /// - Parameter hosts: the hosts that must reach the coordinator, as far as known.
    /// - Throws: ``InputError``.
    init(_ place: ClusterFile.Coordinator, hosts: [String] = []) throws(InputError) {
        guard let number = TCPProbe.number(of: place.address) else {
            throw InputError(
                "the coordinator's address \(place.address) is unknown: give a name or number at which the hosts "
                    + "reach this machine"
            )
        }
        // Some systems resolve their own name only to a loopback address, which other hosts cannot reach.
        let isLoopbackName =
            TCPProbe.isLoopback(number) && !TCPProbe.isNumber(place.address) && place.address != "localhost"
        if TCPProbe.meansReader(number), !isLoopbackName,
            let host = hosts.first(where: { TCPProbe.isOwn($0) == false })
        {
            throw InputError(Self.unreachable(place.address, from: host))
        }
        let own = isLoopbackName ? "0.0.0.0" : TCPProbe.bracketed(number)
        let port: UInt16
        do {
            port = try TCPProbe.Listener(address: own, port: place.port ?? 0, accepts: false).port
        } catch {
            throw InputError(
                error.isForeignAddress
                    ? "the coordinator's address \(place.address) is not one of this machine: start apus launch "
                        + "there, or name an address of this machine"
                    : "the coordinator cannot start \(error.description)")
        }
        listening = "tcp://\(own):\(port)"
        reachable = "tcp://\(TCPProbe.bracketed(place.address)):\(port)"
    }

    /// Why a host cannot reach the coordinator at an address that leads it to itself.
    static func unreachable(_ address: String, from host: String) -> String {
        let own = TCPProbe.interfaces.map(\.address).filter { !TCPProbe.isLoopback($0) && !$0.hasPrefix("fe80:") }
        let choice = own.isEmpty ? "" : " (it has \(own.joined(separator: ", ")))"
        return
            "the coordinator's address \(address) refers to host \(host) itself there, not to this machine: name an "
            + "address of this machine that \(host) can reach\(choice)"
    }
}
