internal import ArgumentParser

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a page about runs: curves, mistakes, calibration, workers.",
        discussion: """
            One self-contained file for a browser. A finished run already has its own, report.html in its folder. \
            Several
            runs are laid over each other.

            Examples:
              apus report runs/short
              apus report runs/first runs/second --output comparison.html
            """)

    @Argument(help: ArgumentHelp("Output folders of runs, finished or not.", valueName: "run"))
    var runs: [String]
    @Option(help: ArgumentHelp("File to write. (default: report.html in the folder of the run)", valueName: "file"))
    var output: String?
    @Flag(help: "Leave out the texts of the data.")
    var noTexts = false

    func validate() throws {
        if runs.count > 1, output == nil {
            throw ValidationError("a page about \(runs.count) runs has no default place: name a file with --output")
        }
    }

    func run() throws {
        try StandardOutput.write(line: EntryPoints.report(runs, withTexts: !noTexts, to: output))
    }
}
