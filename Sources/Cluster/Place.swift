internal import Wording

/// What a worker's environment says about its rank and the coordinator.
///
/// The first of these names the coordinator: `APUS_COORDINATOR`; `MASTER_ADDR` and `MASTER_PORT`; Slurm's variables.
/// Under torchrun itself `MASTER_PORT` is torchrun's own, and the coordinator uses another port, or a socket if there
/// is only one host. The rank comes from the first of torchrun's, Open MPI's, PMI's, PMIx's, Slurm's and a Kubernetes
/// indexed job's variables: an MPI launcher inside a Slurm allocation takes precedence over Slurm.
package struct Place: Equatable, Sendable {
    package var rank: Int?
    package var worldSize: Int?
    package var localRank: Int?
    /// Ranks on this host.
    package var localSize: Int?
    /// Threads that the launcher reserved for this rank.
    package var threads: Int?
    /// An endpoint such as `tcp://host:port`.
    package var coordinator: String?
    /// The variable that overrides the coordinator's port.
    package var portVariable = "MASTER_PORT"
    /// Which process starts the coordinator.
    package var starter = Starter.somebodyElse
    /// Identifies the ranks of one MPI job on one host; nil if the launcher names no job.
    package var job: String?

    /// Who starts the coordinator.
    package enum Starter: Equatable, Sendable {
        /// It already runs, or is started separately from this job.
        case somebodyElse
        /// Rank 0, at ``Place/coordinator`` or, if all ranks are on one host, at a socket of that host.
        case rankZero
        /// Rank 0 if it has training options: torchrun's variables may also name a coordinator that was started
        /// separately.
        case rankZeroIfToldToTrain
    }

    /// Reads the place from `environment`; fields without a variable are nil.
    package init(environment: [String: String]) throws(PlaceError) {
        let reader = EnvironmentReader(values: environment)
        let names = Self.rankNames.first { reader[$0.rank] != nil }
        if let names {
            rank = try reader.number(names.rank)
            worldSize = try reader.firstSize(names.size)
            localRank = try reader.number(names.local)
            localSize = try reader.number(names.localSize, from: 1)
            try fillFromSlurm(reader)
            if let rank, let worldSize, rank >= worldSize {
                let size = names.size.first { reader[$0] != nil } ?? "SLURM_NTASKS"
                throw PlaceError(
                    description:
                        "\(names.rank) is \(rank) but \(size) is \(worldSize): ranks count from 0 to one below the "
                        + "world size"
                )
            }
        }
        job = names?.rank == "RANK" ? nil : reader["PMIX_NAMESPACE"]
        // Inside an allocation mpirun's ranks have Slurm's variables of mpirun's own step, which count only hosts.
        let isSruns =
            names.map {
                reader[$0.rank] == reader["SLURM_PROCID"] && !["RANK", "OMPI_COMM_WORLD_RANK"].contains($0.rank)
            } ?? false
        if let endpoint = try reader.endpoint() {
            coordinator = endpoint
        } else if reader.hasAgentStore, rank != nil, let worldSize {
            starter = .rankZero
            if localSize != worldSize { (coordinator, portVariable) = (try reader.agentEndpoint(), "APUS_PORT") }
        } else if let endpoint = try reader.torchEndpoint() {
            coordinator = endpoint
            starter = worldSize == nil ? .somebodyElse : .rankZeroIfToldToTrain
        } else if rank != nil, reader["SLURM_PROCID"] != nil, let endpoint = try reader.slurmEndpoint(ofStep: isSruns) {
            (coordinator, portVariable) = (endpoint, "APUS_PORT")
            starter = .rankZero
        } else if let worldSize, localSize == worldSize {
            starter = .rankZero
        }
        if isSruns { threads = try reader.number("SLURM_CPUS_PER_TASK", from: 1) }
    }

    /// Whether this process starts the coordinator, given whether it has training options.
    package func startsCoordinator(isToldToTrain: Bool) -> Bool {
        switch starter {
        case .somebodyElse: false
        case .rankZero: rank == 0
        case .rankZeroIfToldToTrain: rank == 0 && isToldToTrain
        }
    }

    /// Variables that PMI lacks under srun.
    private mutating func fillFromSlurm(_ reader: EnvironmentReader) throws(PlaceError) {
        guard rank == (try reader.number("SLURM_PROCID")) else { return }
        if worldSize == nil { worldSize = try reader.firstSize(Self.slurmSizes) }
        if localRank == nil { localRank = try reader.number("SLURM_LOCALID") }
    }

    /// The variables in which one kind of launcher describes a rank.
    private struct Names {
        var rank: String
        var size: [String] = []
        var local: String?
        var localSize: String?
    }

    private static let rankNames = [
        Names(rank: "RANK", size: ["WORLD_SIZE"], local: "LOCAL_RANK", localSize: "LOCAL_WORLD_SIZE"),
        Names(
            rank: "OMPI_COMM_WORLD_RANK", size: ["OMPI_COMM_WORLD_SIZE"], local: "OMPI_COMM_WORLD_LOCAL_RANK",
            localSize: "OMPI_COMM_WORLD_LOCAL_SIZE"),
        Names(rank: "PMI_RANK", size: ["PMI_SIZE"], local: "MPI_LOCALRANKID", localSize: "MPI_LOCALNRANKS"),
        Names(rank: "PMIX_RANK"),
        Names(rank: "SLURM_PROCID", size: slurmSizes, local: "SLURM_LOCALID"),
        Names(rank: "JOB_COMPLETION_INDEX"),
    ]
    private static let slurmSizes = ["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"]
}

/// An error in the environment, in one line.
package struct PlaceError: BadInput, Equatable, CustomStringConvertible {
    package let description: String
}
