internal import ArgumentParser
internal import Reports

struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the runs in a folder, or a run's metrics as CSV.",
        discussion: """
            Examples:
              apus runs
              apus runs --csv runs/short > metrics.csv
            """)

    @Argument(help: ArgumentHelp("Folder that holds the runs; with --csv the folder of one run.", valueName: "folder"))
    var folder: String = "runs"
    @Flag(help: "Write the metrics of one run as CSV: a row for each step and each evaluation.")
    var csv = false

    func run() throws {
        for line in try csv ? RunList.csv(folder) : RunList.lines(folder) { try StandardOutput.write(line: line) }
    }
}
