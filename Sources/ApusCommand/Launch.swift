internal import ArgumentParser
internal import Training

struct Launch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start coordinator and workers on this machine or on those of a cluster file, and watch over them.",
        discussion: """
            Examples:
              $ apus launch --workers 4 --threads 2 --train train.csv --validation dev.csv
              $ apus launch --cluster lab.yaml --output runs/first
            """)

    @Option(help: "Workers on this machine. (default: cores / 8, at least 2 where there are 2 cores)")
    var workers: Int?
    @Flag(help: "One process without sockets: the debug mode.")
    var single = false
    @Flag(help: "Check each layer's output and gradient for values that are not finite.")
    var debug = false
    @Flag(help: "Say what would be trained, how much memory and time it takes by three steps of one process, and write nothing.")
    var dryRun = false
    @Option(help: ArgumentHelp("YAML file with the hosts to run on.", valueName: "file"))
    var cluster: String?
    @OptionGroup var options: TrainOptions

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers is \(workers), must be at least 1") }
        if single, let workers, workers > 1 {
            throw ValidationError("--single is one process, --workers asks for \(workers): leave one of them out")
        }
        if single, cluster != nil { throw ValidationError("--single is one process, --cluster names many: leave one of them out") }
        if dryRun, cluster != nil {
            throw ValidationError("--dry-run measures this machine, --cluster names others: leave one of them out")
        }
        if single { try options.needOneProcess("--single") }
    }

    func run() throws {
        guard !dryRun else {
            var configuration = try options.resolved()
            if let workers { configuration.threads *= try options.merged()[.threads] == nil ? 1 : workers }
            for line in try EntryPoints.dryRun(configuration) { try StandardOutput.write(line: line) }
            return
        }
        let (configuration, threadsGiven) = (try options.resolved(), try options.merged()[.threads] != nil)
        try EntryPoints.launch(
            LaunchOptions(
                workers: workers, threadsGiven: threadsGiven, single: single, debug: debug, cluster: cluster,
                configuration: configuration))
    }
}
