internal import ArgumentParser
internal import Cluster
internal import Configuration
internal import Runs

struct Launch: RunCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start and supervise coordinator and workers, on this machine or on the hosts of a cluster file.",
        discussion: """
            Examples:
              $ apus launch --workers 4 --threads 2 --train train.csv --validation dev.csv
              $ apus launch --cluster lab.yaml --output runs/first
            """)

    @Option(
        help: ArgumentHelp(
            "Workers on this machine. (default: one for each NUMA node, at least 2 if there are 2 cores)",
            valueName: "count"))
    var workers: Int?
    @Flag(help: "One process without sockets: the debug mode.")
    var single = false
    @Flag(help: "Check each layer's output and gradient for non-finite values.")
    var debug = false
    @Flag(
        help:
            "Print what would be trained, with memory and time measured over three steps in one process; write nothing."
    )
    var dryRun = false
    @Flag(help: "Serve a live page of the run and print its address.")
    var dashboard = false
    @Option(help: ArgumentHelp("YAML file with the hosts to run on.", valueName: "file"))
    var cluster: String?
    @OptionGroup var trace: TraceOptions
    @OptionGroup var options: TrainOptions

    func validate() throws {
        if let workers, !(1...ClusterFile.mostWorkers).contains(workers) {
            throw ValidationError("--workers is \(workers), must be 1 to \(ClusterFile.mostWorkers)")
        }
        if single, let workers, workers > 1 {
            throw ValidationError("--single is one process, --workers asks for \(workers): leave one out")
        }
        if single, cluster != nil {
            throw ValidationError("--single is one process, --cluster names several: leave one out")
        }
        if dryRun, cluster != nil {
            throw ValidationError("--dry-run measures this machine, --cluster names others: leave one out")
        }
        if debug, !single, !dryRun {
            throw ValidationError("--debug checks the layers of one process, launch starts several: add --single")
        }
        if dryRun, dashboard { throw ValidationError("--dry-run has no run to show: leave --dashboard out") }
        if single { try options.needOneProcess("--single") }
    }

    func run(_ invocation: Invocation) throws {
        let (configuration, threadsGiven) = (try options.resolved(), try options.merged()[.threads] != nil)
        var launched = LaunchOptions(
            workers: workers, threadsGiven: threadsGiven, single: single, debug: debug, cluster: cluster,
            configuration: configuration)
        launched.dashboard = dashboard
        guard !dryRun else {
            for line in try EntryPoints.dryRun(launched) { try StandardOutput.write(line: line) }
            return
        }
        try EntryPoints.launch(launched, invocation)
    }
}
