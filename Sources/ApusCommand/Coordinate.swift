internal import ArgumentParser
internal import Training

struct Coordinate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Coordinate workers that are started elsewhere.",
        discussion: """
            Links between hosts need keys: APUS_KEY_FILE names the coordinator's, made by apus keygen. SIGHUP reads that file again; \
            a worker whose key was taken off it loses its place. Examples:
              $ apus coordinate --workers 4 --endpoint ipc:///tmp/apus --train train.csv
              $ APUS_KEY_FILE=keys/coordinator.key apus coordinate --workers 2 --endpoint tcp://0.0.0.0:5555
            """)

    @Option(help: "Workers to wait for before the first step.")
    var workers: Int
    @Option(help: "Endpoint to listen on, such as 0.0.0.0:5555 or [::]:5555. (default: a free port)")
    var endpoint: String?
    @Option(help: ArgumentHelp("Time in which all workers come, or the run fails. (default: they are waited for)", valueName: "seconds"))
    var rendezvousTimeout: Int?
    @Option(help: ArgumentHelp("File that is there while workers can join: a readiness probe looks for it.", valueName: "file"))
    var healthFile: String?
    @Flag(help: .hidden)
    var launched = false
    @Flag(help: .hidden)
    var brief = false
    @OptionGroup var options: TrainOptions

    func validate() throws {
        guard workers >= 1 else { throw ValidationError("--workers is \(workers), must be at least 1") }
        if let limit = rendezvousTimeout, limit < 1 {
            throw ValidationError("--rendezvous-timeout is \(limit), must be at least 1")
        }
    }

    func run() throws {
        var chosen = try CoordinateOptions(
            workers: workers, endpoint: endpoint, launched: launched, rendezvousTimeout: rendezvousTimeout.map { .seconds($0) },
            healthFile: healthFile, configuration: options.resolved())
        chosen.isBrief = brief
        try EntryPoints.coordinate(chosen)
    }
}
