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
    @Flag(help: "Plain text between hosts, without keys.")
    var insecure = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads), needed is at least 1") }
    }

    func run() throws {
        try EntryPoints.work(WorkOptions(coordinator: coordinator, threads: threads, insecure: insecure))
    }
}
