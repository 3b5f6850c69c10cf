internal import ArgumentParser

struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make keys for coordinator and workers, readable only by their owner.",
        discussion: """
            Examples:
              $ apus keygen keys --workers 4
              $ apus keygen ~/shared/keys --workers 16
            """)

    @Argument(help: ArgumentHelp("Folder to write the keys into.", valueName: "dir"))
    var folder: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Worker keys to make. Workers may share one, but removing a key from the list removes all of them.",
            valueName: "count"))
    var workers = 1

    func validate() throws {
        guard (1...10_000).contains(workers) else {
            throw ValidationError("--workers is \(workers), must be 1 to 10000")
        }
    }

    func run() throws {
        try StandardOutput.write(line: EntryPoints.keygen(folder: folder, workers: workers))
    }
}
