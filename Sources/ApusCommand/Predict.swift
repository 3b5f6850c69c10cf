internal import ArgumentParser
internal import Training

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Label texts: a JSON object a line, in order.",
        discussion: """
            A file has a header and columns; standard input is bare text, one a line. Examples:
              $ apus predict --model runs/short/model-best --input reviews.tsv
              $ echo 'a quiet film that stays with you' | apus predict --model runs/short/model-best
            """)

    @OptionGroup var arguments: InferenceArguments
    @Option(help: ArgumentHelp("Data to label, or '-' for standard input.", valueName: "file"))
    var input: String = "-"

    func validate() throws {
        let columns = [("--text-column", arguments.textColumn), ("--pair-column", arguments.pairColumn)]
        if input == "-", let (flag, _) = columns.first(where: { $0.1 != nil }) {
            throw ValidationError("\(flag) names a column, standard input is bare text, one a line: add --input FILE, or leave it out")
        }
    }

    func run() throws {
        try EntryPoints.predict(arguments.options(input: input, labelColumn: nil)) { try StandardOutput.write(line: $0) }
    }
}
