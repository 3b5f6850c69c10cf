internal import Cluster
internal import Transport

/// Where the coordinator of a cluster file listens, and where the hosts find it.
struct CoordinatorEndpoint: Equatable, Sendable {
    let listening: String
    let reachable: String

    /// A socket of one host.
    init(socket: String) {
        listening = socket
        reachable = socket
    }

    /// Checks that the address is one of this machine that the hosts can reach, and the port is free; without a port, one is chosen.
    /// - Parameter hosts: who is to find the coordinator there, as far as that is known.
    /// - Throws: ``InputError``.
    init(_ place: ClusterFile.Coordinator, hosts: [String] = []) throws(InputError) {
        guard let number = TCPProbe.number(of: place.address) else {
            throw InputError("the coordinator's address \(place.address) is unknown: give a name or number at which the hosts reach this machine")
        }
        // Some systems know their own name as a loopback address only; others do not reach that.
        let isNumber = [number, TCPProbe.bracketed(number)].contains(place.address)
        let isLoopbackName = TCPProbe.isLoopback(number) && !isNumber && place.address != "localhost"
        if TCPProbe.isLoopback(number), !isLoopbackName, let host = hosts.first(where: { TCPProbe.isOwn($0) == false }) {
            throw InputError(Self.unreachable(place.address, from: host))
        }
        let own = isLoopbackName ? "0.0.0.0" : TCPProbe.bracketed(number)
        let port: UInt16
        do {
            port = try TCPProbe.Listener(address: own, port: place.port ?? 0, accepts: false).port
        } catch {
            throw InputError(
                error.isForeignAddress
                    ? "the coordinator's address \(place.address) is not one of this machine: start apus launch there, or name an address of this machine"
                    : "the coordinator cannot begin \(error.description)")
        }
        listening = "tcp://\(own):\(port)"
        reachable = "tcp://\(TCPProbe.bracketed(place.address)):\(port)"
    }

    /// Why a host cannot reach the coordinator at an address that means the host itself there.
    static func unreachable(_ address: String, from host: String) -> String {
        let own = TCPProbe.interfaces.map(\.address).filter { !TCPProbe.isLoopback($0) && !$0.hasPrefix("fe80:") }
        let choice = own.isEmpty ? "" : " (it has \(own.joined(separator: ", ")))"
        return "the coordinator's address \(address) leads host \(host) to itself, not to this machine: name an address of this machine that "
            + "\(host) can reach\(choice)"
    }
}
