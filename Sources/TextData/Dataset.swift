internal import Foundation

/// The rows of one data file: texts, perhaps second texts, perhaps labels as they are written.
package struct Dataset: Equatable, Sendable {
    package let path: String
    package private(set) var texts: [String] = []
    package private(set) var pairs: [String]?
    package private(set) var labels: [String]?
    /// The line of the file on which each row begins, from 1.
    package private(set) var lines: [Int] = []

    package var count: Int { texts.count }

    /// Reads TSV, CSV or JSON lines, as the name's ending says; the first line of TSV and CSV names the columns.
    ///
    /// - Complexity: O(bytes), in one pass.
    package init(path: String, columns: ColumnNames = ColumnNames(), labels need: LabelNeed) throws(DatasetError) {
        let rows: any RowSource.Type =
            switch URL(fileURLWithPath: path).pathExtension.lowercased() {
            case "tsv": TabSeparatedRows.self
            case "csv": CommaSeparatedRows.self
            case "jsonl", "json": JSONLines.self
            case let other:
                throw DatasetError(
                    path: path, problem: "the ending \".\(other)\" is unknown: name the file .tsv, .csv, .jsonl or .json, after what is in it")
            }
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw DatasetError(path: path, problem: error.problem) }
        guard !file.bytes.isEmpty else {
            throw DatasetError(path: path, problem: "is empty, a header and rows were needed: name another file")
        }
        try self.init(try rows.init(file.bytes, path: path), path: path, columns: columns, need: need)
    }

    private init(_ source: consuming any RowSource, path: String, columns: ColumnNames, need: LabelNeed) throws(DatasetError) {
        self.path = path
        var source = source
        let choice = try ColumnChoice(columns, in: source.header, labels: need, path: path)
        if choice.pair != nil { pairs = [] }
        if choice.label != nil { labels = [] }
        while let row = try source.next(choice) {
            texts.append(row.text)
            if let pair = row.pair { pairs?.append(pair) }
            if let label = row.label {
                guard label.utf8.contains(where: { $0 != 0x20 && $0 != 0x09 }) else {
                    throw DatasetError(path: path, line: row.line, problem: "the label is empty: fill it in or take the row out")
                }
                labels?.append(label)
            }
            lines.append(row.line)
        }
        guard !texts.isEmpty else {
            throw DatasetError(path: path, problem: "has a header and no rows, at least one was needed: name another file")
        }
    }
}

/// One row, cut down to the columns that were chosen.
struct Row {
    let line: Int
    let text: String
    let pair: String?
    let label: String?
}

/// A file format: column names first, then row after row.
protocol RowSource {
    var header: [String] { get }
    init(_ bytes: [UInt8], path: String) throws(DatasetError)
    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row?
}
