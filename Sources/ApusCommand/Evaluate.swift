internal import ArgumentParser

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a model on labelled data: one JSON object of metrics.",
        usage: "apus evaluate --model <dir> --input <file> [<options>]",
        discussion: """
            Examples:
              $ apus evaluate --model runs/short/model-best --input test.tsv
              $ apus evaluate --model runs/short/model-best --input test.csv --text-column review --label-column stars
              $ zstdcat test.tsv.zst | apus evaluate --model runs/short/model-best --input -
            """)

    @OptionGroup var arguments: InferenceArguments
    @Option(help: ArgumentHelp("Labelled data: TSV, CSV or JSON lines, or '-' for standard input.", valueName: "file"))
    var input: String
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Column of the label; several separated by commas or by repeating the option.", valueName: "name"))
    var labelColumn: [String] = []

    @Option(help: ArgumentHelp("New file for each sample's scores: safetensors.", valueName: "file"))
    var predictions: String?

    func run() throws {
        let columns = labelColumn.isEmpty ? nil : labelColumn.joined(separator: ",")
        let options = arguments.options(input: input, labelColumn: columns)
        try StandardOutput.write(line: EntryPoints.evaluate(options, predictions: predictions))
    }
}
