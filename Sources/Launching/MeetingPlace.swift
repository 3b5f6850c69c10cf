internal import Cluster
internal import Coordination
internal import Foundation
internal import Transport
internal import Wording

/// Where the ranks of a job find the coordinator, which rank 0 starts there.
enum MeetingPlace {
    /// A host and port that every rank knows; `variable` sets another port.
    case network(host: String, port: UInt16, variable: String, hosts: [String])
    /// A socket in a folder of the one host on which all ranks are.
    case host(JobFolder)

    /// - Throws: ``InputError``.
    init(_ place: Place, cluster: ClusterFile?) throws {
        if let cluster {
            guard let port = cluster.coordinator.port else {
                throw InputError(
                    "the cluster file has no port for the coordinator, which all ranks must know: add port: under "
                        + "coordinator"
                )
            }
            self = .network(
                host: cluster.coordinator.address, port: port, variable: "the cluster file's port",
                hosts: cluster.hosts.map(\.address))
        } else if let endpoint = place.coordinator {
            guard let address = HostAddress(endpoint: endpoint), let port = UInt16(address.port) else {
                throw InputError(
                    "'\(endpoint)' is not an endpoint at which rank 0 could start the coordinator: expected "
                        + "tcp://HOST:PORT"
                )
            }
            if TCPProbe.isLoopback(address.host), let size = place.worldSize, let here = place.localSize, here < size {
                throw InputError(
                    "the coordinator's address \(address.host) refers to each host itself, and only \(here) of "
                        + "\(size) ranks are on this one: set "
                        + "MASTER_ADDR to rank 0's host as the others reach it")
            }
            self = .network(host: address.host, port: port, variable: place.portVariable, hosts: [])
        } else if place.starter == .rankZero {
            self = .host(try JobFolder(job: place.job ?? "parent-\(getppid())"))
        } else {
            throw InputError(
                place.rank == nil
                    ? "no coordinator is named: give --coordinator tcp://HOST:PORT, or set APUS_COORDINATOR or "
                        + "MASTER_ADDR and MASTER_PORT"
                    : "rank \(place.rank!) is not on one host with all others, and no coordinator is named: set "
                        + "MASTER_ADDR to rank 0's host and MASTER_PORT "
                        + "to a free port for all ranks")
        }
    }

    /// The endpoint that ranks connect to.
    var endpoint: String {
        switch self {
        case .network(let host, let port, _, _): "tcp://\(TCPProbe.bracketed(host)):\(port)"
        case .host(let folder): "ipc://\(folder.path)/control"
        }
    }

    var folder: JobFolder? {
        guard case .host(let folder) = self else { return nil }
        return folder
    }

    /// Checks that the coordinator can listen at this endpoint.
    /// - Throws: ``InputError``.
    func coordinatorEndpoint() throws(InputError) -> CoordinatorEndpoint {
        switch self {
        case .host: return CoordinatorEndpoint(socket: endpoint)
        case .network(let host, let port, let variable, let hosts):
            do {
                return try CoordinatorEndpoint(ClusterFile.Coordinator(address: host, port: port), hosts: hosts)
            } catch {
                throw InputError(
                    "rank 0 runs on host \(ProcessInfo.processInfo.hostName): \(error); another port: \(variable)")
            }
        }
    }
}
