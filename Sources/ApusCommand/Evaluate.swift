internal import ArgumentParser
internal import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Score a model on labelled data: one JSON object of metrics.")

    @OptionGroup var arguments: InferenceArguments
    @Option(help: ArgumentHelp("Labelled data: TSV, CSV or JSON lines.", valueName: "file"))
    var input: String
    @Option(help: ArgumentHelp("Column of the label; several with commas between, or by giving the option again.", valueName: "name"))
    var labelColumn: [String] = []

    @Option(help: ArgumentHelp("New file for each sample's scores: safetensors.", valueName: "file"))
    var predictions: String?

    func run() throws {
        let columns = labelColumn.isEmpty ? nil : labelColumn.joined(separator: ",")
        let options = arguments.options(input: input, labelColumn: columns)
        try StandardOutput.write(line: EntryPoints.evaluate(options, predictions: predictions))
    }
}
