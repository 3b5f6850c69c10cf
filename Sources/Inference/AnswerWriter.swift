internal import Configuration
internal import Files
internal import Foundation
internal import TextData
internal import Wording

/// Writes answers as lines: JSON objects, or the rows of a table that keeps the input's columns.
struct AnswerWriter {
    let format: AnswerFormat
    private let withText: Bool
    /// The names of a table's columns; empty for JSON lines.
    let header: [String]

    /// The input row of an answer.
    struct Asked {
        let text: String
        let pair: String?
        /// The row's fields in the input's columns.
        let fields: [String]
        /// The row's name in messages.
        let name: String
    }

    /// What was asked for, or what the output's name says.
    /// - Throws: ``InputError`` if the name ends in a format that is not written.
    static func format(_ options: AnswerOptions) throws(InputError) -> AnswerFormat {
        if let format = options.format { return format }
        guard let output = options.output else { return .jsonl }
        let ending = URL(fileURLWithPath: output).pathExtension.lowercased()
        if ["", "json", "txt", "ndjson"].contains(ending) { return .jsonl }
        guard let format = AnswerFormat(rawValue: ending) else {
            throw InputError(
                "--output \(output): answers are written as .jsonl, .csv or .tsv, not as .\(ending): "
                    + "name such a file, or give --format")
        }
        return format
    }

    /// - Parameters:
    ///   - columns: of the input.
    ///   - answers: columns that the answers add.
    /// - Throws: ``InputError`` if the input has one of these columns, or the format cannot represent a name.
    init(_ options: AnswerOptions, input: String, columns: [String], answers: [String]) throws(InputError) {
        format = try Self.format(options)
        withText = options.withText
        guard format != .jsonl else {
            header = []
            return
        }
        if let twice = answers.first(where: columns.contains) {
            throw InputError(
                "\(input) has a column \"\(twice)\", which the answers add, too: rename it, or write JSON lines with "
                    + "--format jsonl"
            )
        }
        header = columns + answers
        try check(header, "the header")
    }

    /// The first line; nil for JSON lines.
    var firstLine: String? { format == .jsonl ? nil : line(header) }

    func line(_ answer: Answer, to asked: Asked) throws(InputError) -> String {
        guard format == .jsonl else {
            let fields = asked.fields + answer.fields
            try check(fields, asked.name)
            return line(fields)
        }
        guard withText else { return JSONValue.object(answer.members).line }
        let texts =
            [JSONValue.Member("text", .string(asked.text))] + (asked.pair.map { [.init("pair", .string($0))] } ?? [])
        return JSONValue.object(texts + answer.members).line
    }

    /// Refuses fields that TSV cannot represent, since it has no quotes.
    func check(_ fields: [String], _ name: String) throws(InputError) {
        guard format == .tsv, fields.contains(where: { $0.utf8.contains { $0 == 0x09 || $0 == 0x0A || $0 == 0x0D } })
        else { return }
        throw InputError(
            "\(name) has a tab or a line break, which TSV cannot: write CSV with --format csv or an --output that "
                + "ends in .csv"
        )
    }

    private func line(_ fields: [String]) -> String {
        format == .tsv ? fields.joined(separator: "\t") : fields.map(TableField.csv).joined(separator: ",")
    }
}
