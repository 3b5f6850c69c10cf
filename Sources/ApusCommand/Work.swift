internal import ArgumentParser
internal import Training

struct Work: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compute for a coordinator.",
        discussion: """
            Without --coordinator its address comes from APUS_COORDINATOR=tcp://host:port, from MASTER_ADDR and MASTER_PORT, or from \
            Slurm's variables. APUS_KEY_FILE names this worker's key.
            """)

    @Option(help: "The coordinator's address, such as tcp://host:5555.")
    var coordinator: String?
    @Option(help: "Threads to compute with. (default: as the coordinator says)")
    var threads: Int?
    @Option(help: ArgumentHelp("Network interface for links to other workers. (default: the one that leads to the coordinator)", valueName: "name"))
    var interface: String?
    @Option(parsing: .unconditional, help: ArgumentHelp("How long to wait for the coordinator.", valueName: "seconds"))
    var coordinatorTimeout = 60
    @Option(parsing: .unconditional, help: ArgumentHelp("Silence after which the coordinator counts as lost.", valueName: "seconds"))
    var heartbeatTimeout = 3
    @Flag(help: "Plain text between hosts, without keys.")
    var insecure = false
    @Flag(help: .hidden)
    var launched = false
    @Option(help: .hidden)
    var rank: Int?

    func validate() throws {
        guard coordinatorTimeout >= 1 else { throw ValidationError("--coordinator-timeout is \(coordinatorTimeout), needed is at least 1") }
        guard heartbeatTimeout >= 1 else { throw ValidationError("--heartbeat-timeout is \(heartbeatTimeout), needed is at least 1") }
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads), needed is at least 1") }
    }

    func run() throws {
        try EntryPoints.work(
            WorkOptions(
                coordinator: coordinator, threads: threads, interface: interface, coordinatorTimeout: .seconds(coordinatorTimeout),
                heartbeatTimeout: .seconds(heartbeatTimeout), insecure: insecure, launched: launched, rank: rank))
    }
}
