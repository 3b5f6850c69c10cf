internal import ArgumentParser
internal import Files
internal import Kernels
internal import TextData
internal import Configuration
internal import Files
internal import Console
internal import Inputs
internal import Processes
internal import Wording

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Look at data files before a run: lengths, labels, repeated texts, texts that two splits share.",
        usage: "apus data <file> ... [<options>]",
        discussion: """
            Files whose names have no dev, test and the like are training data; a folder is read as by --train. \
            What a run would refuse is refused; anything else is a warning. Examples:
              $ apus data train.csv dev.csv --model google-bert/bert-base-uncased
              $ apus data 'part-*.jsonl' --validation held-out.jsonl --json
            """)

    @Argument(help: ArgumentHelp("Data files, patterns or a folder.", valueName: "file"))
    var files: [String]
    @Option(help: ArgumentHelp("Validation data.", valueName: "file"))
    var validation: String?
    @Option(help: ArgumentHelp("Test data.", valueName: "file"))
    var test: String?
    @Option(help: ArgumentHelp("Model whose tokens are counted: a folder or name.", valueName: "dir"))
    var model: String?
    @Option(help: ArgumentHelp("Most tokens of a sample, to see what it cuts off. (default: 128)", valueName: "tokens"))
    var maxLength: Int?
    @Option(
        help: ArgumentHelp(
            "How files are read: \(TrainingConfiguration.formats). (default: detected from names and first lines)",
            valueName: "name"))
    var inputFormat: DataFormat?
    @Option(help: ArgumentHelp("Column of the text.", valueName: "name"))
    var textColumn: String?
    @Option(help: ArgumentHelp("Column of the second text of a pair.", valueName: "name"))
    var pairColumn: String?
    @Option(
        help: ArgumentHelp(
            "Column of the label; several separated by commas or by repeating the option.", valueName: "name"))
    var labelColumn: [String] = []
    @Option(help: ArgumentHelp("The task, if the labels do not decide it.", valueName: "name"))
    var task: TrainingConfiguration.TargetTask?
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if let maxLength, maxLength < 3 {
            throw ValidationError("--max-length is \(maxLength), must be at least 3: [CLS], one token and [SEP]")
        }
        if maxLength != nil, model == nil {
            throw ValidationError("--max-length counts tokens: name the model with --model")
        }
    }

    func run() throws {
        try SystemLimits.provide(.inference(threads: ProcessorCount.usable))
        let report = try DataReport(
            .init(
                files: files, validation: validation, test: test, model: model, maxLength: maxLength,
                columns: ColumnNames(
                    text: textColumn, pair: pairColumn,
                    label: labelColumn.isEmpty ? nil : labelColumn.joined(separator: ",")),
                format: inputFormat, task: task, threads: ProcessorCount.usable))
        guard !json else { return try StandardOutput.write(line: report.json.line) }
        for line in report.lines { try StandardOutput.write(line: ShownText.safe(line)) }
    }
}

extension TrainingConfiguration.TargetTask: ExpressibleByArgument {}
