internal import ArgumentParser
internal import Cluster
internal import Configuration
internal import Runs

struct Coordinate: RunCommand {
    static let configuration = CommandConfiguration(
        abstract: "Coordinate workers that are started elsewhere.",
        discussion: """
            Links between hosts need keys: APUS_KEY_FILE names the coordinator's, made by apus keygen. SIGHUP reads \
            that file again; \
            a worker whose key is no longer in it is disconnected. Examples:
              $ apus coordinate --workers 4 --endpoint ipc:///tmp/apus --train train.csv
              $ APUS_KEY_FILE=keys/coordinator.key apus coordinate --workers 2 --endpoint tcp://0.0.0.0:5555
            """)

    @Option(help: ArgumentHelp("Workers to wait for before the first step.", valueName: "count"))
    var workers: Int
    @Option(
        help: ArgumentHelp(
            "Endpoint to listen on, such as 0.0.0.0:5555 or [::]:5555. (default: a free port)", valueName: "address"))
    var endpoint: String?
    @Option(
        help: ArgumentHelp(
            "The run fails if not all workers have joined by then. (default: no limit)", valueName: "seconds"))
    var rendezvousTimeout: Int?
    @Option(help: ArgumentHelp("File that exists while workers can join, for a readiness probe.", valueName: "file"))
    var healthFile: String?
    @Flag(help: .hidden)
    var launched = false
    @Flag(help: .hidden)
    var brief = false
    @OptionGroup var trace: TraceOptions
    @OptionGroup var options: TrainOptions

    func validate() throws {
        guard (1...ClusterFile.mostWorkers).contains(workers) else {
            throw ValidationError("--workers is \(workers), must be 1 to \(ClusterFile.mostWorkers)")
        }
        if let limit = rendezvousTimeout, !(1...Int(Int32.max)).contains(limit) {
            throw ValidationError("--rendezvous-timeout is \(limit), must be 1 to \(Int32.max)")
        }
    }

    func run(_ invocation: Invocation) throws {
        var chosen = try CoordinateOptions(
            workers: workers, endpoint: endpoint, launched: launched,
            rendezvousTimeout: rendezvousTimeout.map { .seconds($0) },
            healthFile: healthFile, configuration: options.resolved())
        chosen.isBrief = brief
        try EntryPoints.coordinate(chosen, invocation)
    }
}
