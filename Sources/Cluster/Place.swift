/// What a worker's environment says of its place: who it is and where the coordinator is.
///
/// Sources, the first that speaks wins, for the coordinator and for the ranks apart: `APUS_COORDINATOR`;
/// `MASTER_ADDR`, `MASTER_PORT`, `RANK`, `WORLD_SIZE`, `LOCAL_RANK`; Slurm's variables; Open MPI's and PMI's.
package struct Place: Equatable, Sendable {
    package var rank: Int?
    package var worldSize: Int?
    package var localRank: Int?
    /// An endpoint such as `tcp://host:port`.
    package var coordinator: String?
    /// Whether this process is to start the coordinator: rank 0 under Slurm.
    package var startsCoordinator = false

    /// Reads the place from `environment`; fields that nobody names are nil.
    package init(environment: [String: String]) throws(PlaceError) {
        let reader = EnvironmentReader(values: environment)
        let isSlurm = reader["APUS_COORDINATOR"] == nil && reader["MASTER_ADDR"] == nil && reader["SLURM_PROCID"] != nil
        for names in Self.rankNames where reader[names.rank] != nil {
            rank = try reader.number(names.rank)
            worldSize = try reader.number(names.size)
            localRank = try reader.number(names.local)
            if let rank, let worldSize, rank >= worldSize {
                throw PlaceError(description: "\(names.rank) is \(rank) but \(names.size) is \(worldSize): ranks count from 0 to one below the world size")
            }
            break
        }
        coordinator = try reader.endpoint()
        if coordinator == nil { coordinator = try reader.torchEndpoint() }
        if coordinator == nil, isSlurm { coordinator = try reader.slurmEndpoint() }
        startsCoordinator = isSlurm && coordinator != nil && rank == 0
    }

    private static let rankNames = [
        (rank: "RANK", size: "WORLD_SIZE", local: "LOCAL_RANK"),
        (rank: "SLURM_PROCID", size: "SLURM_NTASKS", local: "SLURM_LOCALID"),
        (rank: "OMPI_COMM_WORLD_RANK", size: "OMPI_COMM_WORLD_SIZE", local: "OMPI_COMM_WORLD_LOCAL_RANK"),
        (rank: "PMI_RANK", size: "PMI_SIZE", local: "MPI_LOCALRANKID"),
    ]
}

/// What is wrong with the environment, in one line.
package struct PlaceError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Variables of an environment, checked as they are read.
private struct EnvironmentReader {
    let values: [String: String]

    /// The variable's value; an empty one counts as absent.
    subscript(name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    func number(_ name: String) throws(PlaceError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), (0..<65_536).contains(number) else {
            throw PlaceError(description: "\(name) is \(text): it must be a whole number from 0 to 65535")
        }
        return number
    }

    func port(_ name: String) throws(PlaceError) -> UInt16? {
        guard let text = self[name] else { return nil }
        guard let port = UInt16(text), port > 0 else { throw PlaceError(description: "\(name) is \(text): it must be a port from 1 to 65535") }
        return port
    }

    func endpoint() throws(PlaceError) -> String? {
        guard let text = self["APUS_COORDINATOR"] else { return nil }
        if text.hasPrefix("ipc://"), text.count > 6 { return text }
        let parts = text.dropFirst(6)
        guard text.hasPrefix("tcp://"), let colon = parts.lastIndex(of: ":"), colon > parts.startIndex,
            let port = UInt16(parts[parts.index(after: colon)...]), port > 0
        else { throw PlaceError(description: "APUS_COORDINATOR is \(text): write it as tcp://host:port") }
        return text
    }

    func torchEndpoint() throws(PlaceError) -> String? {
        guard let address = self["MASTER_ADDR"] else { return nil }
        guard let port = try port("MASTER_PORT") else {
            throw PlaceError(description: "MASTER_ADDR is \(address) but MASTER_PORT is not set: set it to the coordinator's port")
        }
        return endpoint(address, port)
    }

    /// The first host of the step, and a port that every task derives alike.
    func slurmEndpoint() throws(PlaceError) -> String? {
        guard let list = self["SLURM_STEP_NODELIST"] ?? self["SLURM_JOB_NODELIST"] ?? self["SLURM_NODELIST"] else { return nil }
        let hosts: [String]
        do { hosts = try SlurmHosts.expand(list) } catch { throw PlaceError(description: "\(error)") }
        if let port = try port("APUS_PORT") { return endpoint(hosts[0], port) }
        guard let job = self["SLURM_JOB_ID"] ?? self["SLURM_JOBID"], let number = UInt32(job) else {
            throw PlaceError(description: "Slurm gives no SLURM_JOB_ID to derive the coordinator's port from: set APUS_PORT")
        }
        return endpoint(hosts[0], UInt16(20_000 + number % 10_000))
    }

    private func endpoint(_ address: String, _ port: UInt16) -> String {
        address.contains(":") && !address.hasPrefix("[") ? "tcp://[\(address)]:\(port)" : "tcp://\(address):\(port)"
    }
}
