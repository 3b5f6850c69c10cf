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

    /// Checks that the address is one of this machine and the port is free; without a port, one is chosen.
    /// - Throws: ``InputError``.
    init(_ place: ClusterFile.Coordinator) throws(InputError) {
        guard let number = TCPProbe.number(of: place.address) else {
            throw InputError("the coordinator's address \(place.address) is unknown: give a name or number at which the hosts reach this machine")
        }
        // Some systems know their own name as a loopback address only; others do not reach that.
        let isLoopbackName = number.hasPrefix("127.") && number != place.address && place.address != "localhost"
        let own = isLoopbackName ? "0.0.0.0" : number
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
        reachable = "tcp://\(place.address):\(port)"
    }
}
