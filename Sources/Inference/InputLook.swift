internal import Files
internal import TextData

/// The apparent format of plain-text lines, if they seem to be something else.
enum InputLook: String {
    case jsonLines = "JSON lines"
    case tsv = "TSV"
    case csv = "CSV"
    case column = "a column with its header"

    /// - Parameters:
    ///   - lines: the first lines.
    ///   - columns: those that the model was trained on.
    init?(of lines: [String], columns: ColumnNames.Usual?) {
        guard let first = lines.first else { return nil }
        let known = Set(
            ColumnNames.known + [columns?.text, columns?.pair, columns?.label].compactMap { $0?.lowercased() })
        if first.hasPrefix("{"), (try? JSONValue(parsing: Array(first.utf8)))?.members != nil {
            self = .jsonLines
            return
        }
        for (look, separator) in [(InputLook.tsv, UInt8(ascii: "\t")), (.csv, UInt8(ascii: ","))] {
            let fields = Self.fields(first, separator)
            guard fields.count > 1 else { continue }
            let isEven = lines.count > 1 && lines.allSatisfy { Self.fields($0, separator).count == fields.count }
            if fields.contains(where: known.contains) || (look == .tsv && isEven) {
                self = look
                return
            }
        }
        guard lines.count > 1, known.contains(Self.fields(first, 0).first ?? "") else { return nil }
        self = .column
    }

    private static func fields(_ line: String, _ separator: UInt8) -> [String] {
        line.utf8.split(separator: separator, omittingEmptySubsequences: false).map { field in
            String(field.lazy.map { Character(Unicode.Scalar($0)) }.filter { $0 != "\"" && $0 != " " }).lowercased()
        }
    }

    /// For the user, on one line.
    var note: String {
        let format =
            switch self {
            case .jsonLines: "jsonl"
            case .csv: "csv"
            case .tsv, .column: "tsv"
            }
        return
            "standard input looks like \(rawValue) and is read as plain text, one text per line: "
            + "--input-format \(format) reads its columns"
    }
}
