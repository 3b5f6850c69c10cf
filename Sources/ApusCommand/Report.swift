internal import ArgumentParser
internal import Training

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a page about runs: curves, mistakes, calibration, workers.",
        discussion: """
            One file that needs nothing else, to be opened in a browser. A finished run has its own already, report.html in its folder. Several
            runs are laid over each other.

            Examples:
              apus report runs/short
              apus report runs/first runs/second --output comparison.html
            """)

    @Argument(help: ArgumentHelp("Output folders of runs, finished or not.", valueName: "run"))
    var runs: [String]
    @Option(help: ArgumentHelp("The page. (default: report.html in the folder of the run)", valueName: "file"))
    var output: String?
    @Flag(help: "Leave the texts of the data out.")
    var noTexts = false

    func validate() throws {
        if runs.count > 1, output == nil { throw ValidationError("a page about \(runs.count) runs lies in none of their folders: name it with --output") }
    }

    func run() throws {
        try StandardOutput.write(line: EntryPoints.report(runs, withTexts: !noTexts, to: output))
    }
}
