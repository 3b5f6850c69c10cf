internal import ArgumentParser
internal import Coordination

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the hosts of a cluster file before a run: ssh, ports, versions, arithmetic, clocks, disk.",
        usage: "apus check --cluster <file>",
        discussion: """
            One line per finding, 'ok' or 'fix'. Exit status 1 if anything must be fixed. Examples:
              $ apus check --cluster cluster/lab.yaml
              $ apus check --cluster lab.yaml && apus launch --cluster lab.yaml
            """)

    @Option(help: ArgumentHelp("YAML file with the hosts. Required.", valueName: "file"))
    var cluster: String?
    @Argument(help: .hidden)
    var words: [String] = []
    @Flag(help: .hidden)
    var local = false
    @Option(help: .hidden)
    var interface: String?
    @Option(help: .hidden)
    var coordinator: String?
    @Option(help: .hidden)
    var shape: String?

    func validate() throws {
        if let word = words.first {
            throw ValidationError(
                "'\(word)' belongs to no option: "
                    + (cluster == nil ? "did you mean --cluster \(word)?" : "leave it out"))
        }
        if !local, cluster == nil { throw ValidationError("--cluster is missing: name the file with the hosts") }
    }

    func run() throws {
        func emit(_ line: String) throws {
            try StandardOutput.write(line: line)
            try StandardOutput.flush()
        }
        if let cluster {
            try EntryPoints.check(cluster: cluster, emit: emit)
        } else {
            guard let shape = shape.map(ArithmeticShape.init(text:)) ?? .standard else {
                throw ValidationError(
                    "--shape is \(self.shape ?? ""), expected something like \(ArithmeticShape.standard.text)")
            }
            try EntryPoints.checkLocally(interface: interface, coordinator: coordinator, shape: shape, emit: emit)
        }
    }
}
