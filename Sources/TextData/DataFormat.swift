internal import Foundation

/// How to read the bytes of a data file; the names are those of `--input-format`.
package enum DataFormat: String, Codable, CaseIterable, Sendable {
    /// Commas between fields, quotes as in RFC 4180.
    case csv
    /// The same with semicolons, as spreadsheets write it if the comma is the decimal sign.
    case semicolons = "semicolon-csv"
    /// Tabs between fields; quotes are ordinary characters.
    case tsv
    /// Tabs between fields, quotes as in CSV: what pandas and `datasets` write and read.
    case quotedTSV = "quoted-tsv"
    /// One object per line, or a list of objects.
    case jsonLines = "jsonl"
    /// One word per line.
    case conll
    /// One text per line.
    case text

    /// As many lines tell what a file is.
    static let firstLines = 200

    static let endings: [String: DataFormat] = [
        "tsv": .tsv, "tab": .tsv, "csv": .csv, "jsonl": .jsonLines, "json": .jsonLines, "ndjson": .jsonLines,
        "conll": .conll, "conllu": .conll,
        "bio": .conll, "iob": .conll, "iob2": .conll,
    ]

    /// The format of a file, and a note for the user about how it was detected.
    ///
    /// The file name's suffix decides, then the first lines: if they contradict the suffix or, without a known suffix,
    /// if they indicate a format.
    /// - Parameters:
    ///   - bytes: the file's, at least its first lines.
    ///   - allowsPlainText: whether a file of one text per line is accepted.
    ///   - quotes: looks at the fields of the whole file, if tabs are between them.
    /// - Throws: ``DatasetError`` if neither determines the format.
    static func found(
        in bytes: [UInt8], path: String, columns: ColumnNames, allowsPlainText: Bool,
        quotes: () throws(DatasetError) -> TabQuotes
    ) throws(DatasetError) -> (format: DataFormat, note: String?) {
        let ending = Self.ending(of: path)
        let lines = FirstLines(bytes)
        if let found = try contradiction(ending, lines, columns, allowsPlainText, path: path) {
            if found.format == .tsv { return tabs(try quotes(), because: found.because) }
            return (found.format, "\(found.because), so it is read as --input-format \(found.format.rawValue)")
        }
        switch endings[ending] {
        case .csv?: return try commas(lines, quotes)
        case .tsv?:
            let comma = UInt8(ascii: ",")
            let isCSV =
                !lines.header(has: 0x09) && lines.header(has: comma) && lines.namesColumns(columns, between: comma)
            return isCSV
                ? (.csv, "commas separate the fields of its header, so it is read as --input-format csv")
                : tabs(try quotes())
        case let format?: return (format, nil)
        case nil where ending == "txt" && allowsPlainText: return (.text, nil)
        case nil:
            let why = ending.isEmpty ? "its name has no suffix" : "the suffix \".\(ending)\" is unknown"
            guard let found = lines.format(columns) ?? (allowsPlainText ? .text : nil) else {
                throw DatasetError(
                    path: path,
                    problem:
                        "\(why), and its first lines do not show the format: set it with --input-format csv, tsv, "
                        + "jsonl or conll, or use that suffix"
                )
            }
            if found == .tsv { return tabs(try quotes(), because: why) }
            return (found, "\(why), it is read as --input-format \(found.rawValue) by its first lines")
        }
    }

    /// The format of a file whose first lines cannot be what its suffix says, and what they are; nil if they may be.
    private static func contradiction(
        _ ending: String, _ lines: FirstLines, _ columns: ColumnNames, _ allowsPlainText: Bool, path: String
    ) throws(DatasetError) -> (format: DataFormat, because: String)? {
        let named = endings[ending] ?? (ending == "txt" && allowsPlainText ? .text : nil)
        guard let named else { return nil }
        if named != .jsonLines, lines.beginsObjectWithKey { return (.jsonLines, "its lines are JSON objects") }
        switch named {
        case .csv, .tsv:
            let isTable = [0x09, UInt8(ascii: ","), UInt8(ascii: ";")].contains {
                lines.namesColumns(columns, between: $0)
            }
            guard lines.areTaggedWords, lines.beginsWithTag, !isTable else { return nil }
            return (.conll, "its lines are words with tags")
        case .jsonLines:
            guard let found = lines.format(columns), found != .jsonLines else { return nil }
            return found == .conll
                ? (.conll, "its lines are words with tags") : (found, "its first line names the columns of a table")
        default:
            let because = "its first line names the columns of a table"
            let isHeader = lines.namesWordsAndTags && named == .conll
            if lines.namesTextAndLabel(between: 0x09) || isHeader {
                guard named == .conll, isHeader || lines.haveBlankOnes || lines.areTaggedWords else {
                    return (.tsv, because)
                }
                throw DatasetError(
                    path: path, line: 1,
                    problem: "names columns, which a file of one word a line does not have: take that line out")
            }
            if lines.namesTextAndLabel(between: UInt8(ascii: ",")) { return (.csv, because) }
            return lines.namesTextAndLabel(between: UInt8(ascii: ";")) ? (.semicolons, because) : nil
        }
    }

    /// The suffix of a file's name without that of its compression.
    private static func ending(of path: String) -> String {
        let url = URL(fileURLWithPath: path)
        let ending = url.pathExtension.lowercased()
        return ending == "gz" ? url.deletingPathExtension().pathExtension.lowercased() : ending
    }

    /// CSV, or what the header shows instead.
    private static func commas(
        _ lines: FirstLines, _ quotes: () throws(DatasetError) -> TabQuotes
    ) throws(DatasetError) -> (format: DataFormat, note: String?) {
        if lines.header(has: UInt8(ascii: ",")) { return (.csv, nil) }
        if lines.header(has: UInt8(ascii: ";")) {
            return (
                .semicolons,
                "semicolons separate the fields of its header, so it is read as --input-format semicolon-csv"
            )
        }
        return lines.header(has: 0x09)
            ? tabs(try quotes(), because: "tabs separate the fields of its header") : (.csv, nil)
    }

    /// TSV, with or without quotes as its fields show.
    private static func tabs(_ quotes: TabQuotes, because: String? = nil) -> (format: DataFormat, note: String?) {
        func note(_ more: String) -> String { [because, more].compactMap { $0 }.joined(separator: "; ") }
        switch quotes {
        case .none: return (.tsv, because.map { "\($0), so it is read as --input-format tsv" })
        case .fields:
            return (
                .quotedTSV,
                note(
                    "the quotes around its fields are removed, as with --input-format quoted-tsv; --input-format tsv "
                        + "keeps them in the texts"
                )
            )
        case .perhaps(let count):
            let fields = count == 1 ? "a field" : "\(count) fields"
            return (
                .tsv, note("the quotes around \(fields) are kept in the texts; --input-format quoted-tsv removes them")
            )
        }
    }
}
