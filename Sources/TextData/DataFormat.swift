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
        switch endings[ending] {
        case .csv?: return try commas(lines, quotes)
        case .tsv?:
            let comma = UInt8(ascii: ",")
            let isCSV =
                !lines.header(has: 0x09) && lines.header(has: comma) && lines.namesColumns(columns, between: comma)
            if lines.areTaggedWords, lines.beginsWithTag, !lines.namesColumns(columns, between: 0x09) {
                return (.conll, "its lines are words with tags, so it is read as --input-format conll")
            }
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

/// The first lines of a file, to tell what it is.
private struct FirstLines {
    private let lines: [ArraySlice<UInt8>]

    init(_ bytes: [UInt8]) {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count, lines.count < DataFormat.firstLines {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            lines.append(bytes[start..<end].last == 0x0D ? bytes[start..<(end - 1)] : bytes[start..<end])
            start = end + 1
        }
        self.lines = lines
    }

    private var header: ArraySlice<UInt8> { lines.first ?? [] }

    func header(has separator: UInt8) -> Bool { header.contains(separator) }

    /// An object, or a list of them.
    private var beginsObject: Bool {
        var first = lines.lazy.joined().filter { $0 != 0x20 && $0 != 0x09 }.makeIterator()
        let byte = first.next()
        return byte == UInt8(ascii: "{") || (byte == UInt8(ascii: "[") && first.next() == UInt8(ascii: "{"))
    }

    /// The format that the lines indicate; nil if they could be anything.
    func format(_ columns: ColumnNames) -> DataFormat? {
        if beginsObject { return .jsonLines }
        if namesColumns(columns, between: 0x09) { return .tsv }
        if namesColumns(columns, between: UInt8(ascii: ",")) { return .csv }
        if namesColumns(columns, between: UInt8(ascii: ";")) { return .semicolons }
        return areTaggedWords ? .conll : nil
    }

    /// Whether the first line has one of the known column names.
    func namesColumns(_ asked: ColumnNames, between separator: UInt8) -> Bool {
        let names = header.split(separator: separator, omittingEmptySubsequences: false).map { part in
            Dataset.trimmed(String(decoding: part, as: UTF8.self)).trimmingCharacters(in: ["\""])
        }
        let known = Set(
            ColumnChoice.knownTexts + ColumnChoice.knownLabels
                + [asked.text, asked.pair, asked.label].compactMap { $0 })
        return !known.isDisjoint(with: names)
    }

    /// Whether most lines end in a tag as the CoNLL tasks have them, and one of them is O.
    var areTaggedWords: Bool {
        let tags = lines.filter { !$0.isEmpty }.compactMap { line -> ArraySlice<UInt8>? in
            let fields = line.split { $0 == 0x20 || $0 == 0x09 }
            return fields.count > 1 ? fields.last : nil
        }
        return tags.contains { $0.elementsEqual("O".utf8) } && 2 * tags.count(where: Self.isTag) > tags.count
    }

    /// Whether the first line ends in such a tag; a header does not.
    var beginsWithTag: Bool {
        header.split { $0 == 0x20 || $0 == 0x09 }.last.map(Self.isTag) ?? false
    }

    private static func isTag(_ tag: ArraySlice<UInt8>) -> Bool {
        tag.elementsEqual("O".utf8)
            || (tag.count > 2 && "BIESLU".utf8.contains(tag[tag.startIndex])
                && tag[tag.startIndex + 1] == UInt8(ascii: "-"))
    }
}
