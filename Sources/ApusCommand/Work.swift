internal import ArgumentParser
internal import Configuration
internal import Logging
internal import Processes
internal import Runs
internal import Tracing
internal import Transport

struct Work: RunCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compute for a coordinator.",
        discussion: """
            Without --coordinator its address comes from APUS_COORDINATOR=host:port, from MASTER_ADDR and MASTER_PORT, \
            from \
            --cluster, or from Slurm's variables; an MPI launcher with all ranks on one host needs none. If srun, \
            mpirun or torchrun starts all workers, each gets the same command line with the training options, and \
            rank 0 also starts the coordinator.

            Keys: APUS_KEY_FILE names this worker's key, APUS_KEY_FOLDER a folder of apus keygen on a file system that \
            all hosts \
            share, APUS_SECRET is a text of at least 32 random characters, the same for all processes.

            The training options are for the rank that starts the coordinator. Examples:
              $ APUS_KEY_FILE=keys/worker-1.key apus work --coordinator tcp://lab1:5555 --threads 8
              $ mpirun -np 4 apus work --output runs/first
            """)

    @Option(help: ArgumentHelp("The coordinator's address, such as host:5555.", valueName: "host:port"))
    var coordinator: String?
    @Option(
        help: ArgumentHelp("YAML file that names the coordinator's address and port, and the hosts.", valueName: "file")
    )
    var cluster: String?
    @Option(
        help: ArgumentHelp(
            "Network interface for links to other workers. (default: the interface of the route to the coordinator)",
            valueName: "name"))
    var interface: String?
    @Option(
        help: ArgumentHelp(
            "Transport of gradients between hosts: links, or mpi if mpirun or srun started all workers and this build "
                + "has MPI. (default: links)", valueName: "name"))
    var exchange = Exchange.links.rawValue
    @Flag(help: .hidden)
    var launched = false
    @Option(help: .hidden)
    var rank: Int?
    @Option(help: .hidden)
    var processors: String?
    @OptionGroup var trace: TraceOptions
    @OptionGroup var options: TrainOptions

    func validate() throws {
        if let processors, ProcessorList(processors)?.isEmpty ?? true {
            throw ValidationError("--processors is '\(processors)', must be a list such as 0-3,8-11")
        }
        guard let chosen = Exchange(rawValue: exchange) else {
            throw ValidationError("--exchange is '\(exchange)', must be links or mpi")
        }
        if chosen == .mpi, !MPIWorld.isBuilt {
            throw ValidationError(
                "--exchange is mpi, this build has no MPI: build one with swift build --traits MPI (cluster/README.md)")
        }
    }

    func run(_ invocation: Invocation) throws {
        // Before any thread is started or memory filled: both shall belong to the node.
        if let list = processors.flatMap({ ProcessorList($0) }) {
            let isBound = list.bindThisThread()
            Trace.run?.debug(isBound ? "bound" : "not bound", metadata: ["processors": "\(list.text)"])
        }
        try EntryPoints.work(
            workOptions(),
            training: TrainingRequest(given: options.given, hasFile: options.run.config != nil) {
                () throws(ConfigurationError) -> TrainingConfiguration in try options.resolved()
            }, invocation)
    }

    private func workOptions() throws(ConfigurationError) -> WorkOptions {
        var chosen = try WorkOptions(
            coordinator: coordinator, cluster: cluster, interface: interface, launched: launched, rank: rank,
            given: options.mergedWhereReadable)
        chosen.exchange = Exchange(rawValue: exchange) ?? .links
        return chosen
    }
}
