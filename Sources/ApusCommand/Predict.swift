internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import TextData

extension AnswerFormat: ExpressibleByArgument {}

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Label texts: one JSON object per line, or a table, in input order.",
        usage: "apus predict --model <dir> [<options>]",
        discussion: """
            A file has a header and columns; standard input is plain text, one per line, and each line is answered as \
            it arrives; with --input-format it is read as such a file. Examples:
              $ apus predict --model runs/short/model-best --input reviews.csv --output answers.csv
              $ tail -f comments.txt | apus predict --model runs/short/model-best --with-text
            """)

    @OptionGroup var arguments: InferenceArguments
    @Option(help: ArgumentHelp("Data to label, or '-' for standard input.", valueName: "file"))
    var input: String = "-"
    @Option(help: ArgumentHelp("New file for the answers. (default: standard output)", valueName: "file"))
    var output: String?
    @Option(
        help: ArgumentHelp(
            "JSON lines, or a table with the input's columns followed by the answers'. (default: by the output's "
                + "suffix, else jsonl)",
            valueName: AnswerFormat.allCases.map(\.rawValue).joined(separator: "|")))
    var format: AnswerFormat?
    @Flag(help: "Repeat the text in each JSON object.")
    var withText = false

    func validate() throws {
        let columns = [("--text-column", arguments.textColumn), ("--pair-column", arguments.pairColumn)]
        let isPlain = arguments.inputFormat == nil || arguments.inputFormat == .text
        if input == "-", isPlain, let (flag, _) = columns.first(where: { $0.1 != nil }) {
            throw ValidationError(
                "\(flag) names a column, standard input is plain text, one per line: say what it is, such as "
                    + "--input-format tsv, or add --input FILE, or leave it out")
        }
        let ending = output.map { URL(filePath: $0).pathExtension.lowercased() }
        if withText, format == .tsv || format == .csv || (format == nil && (ending == "tsv" || ending == "csv")) {
            throw ValidationError("--with-text is for JSON lines, a table has the text in its column: leave it out")
        }
    }

    func run() throws {
        try EntryPoints.predict(
            arguments.options(input: input, labelColumn: nil),
            AnswerOptions(output: output, format: format, withText: withText),
            emit: { try StandardOutput.write(line: $0) }, flush: { try StandardOutput.flush() })
    }
}
