internal import ArgumentParser
internal import Training

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the hosts of a cluster file before a run: ssh, ports, versions, arithmetic, clocks, disk.")

    @Option(help: ArgumentHelp("YAML file with the hosts.", valueName: "file"))
    var cluster: String

    func run() throws {
        try EntryPoints.check(cluster: cluster) {
            try StandardOutput.write(line: $0)
            try StandardOutput.flush()
        }
    }
}
