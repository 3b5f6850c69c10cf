internal import Foundation

/// The rows of one data file: texts, perhaps second texts, perhaps labels as they are written.
package struct Dataset: Sendable {
    package let path: String
    package private(set) var texts: [String] = []
    package private(set) var pairs: [String]?
    /// Each row's label, or several of them; of a file of words one for each word.
    package private(set) var labels: [[String]]?
    /// Whether some rows' labels were written as a list.
    package private(set) var hasLists = false
    /// Each row's words, where the file gives them one by one.
    package private(set) var words: [[String]]?
    /// The line of the file on which each row begins, from 1.
    package private(set) var lines: [Int] = []
    /// The columns that were read; empty where the file has none.
    package private(set) var columns = ColumnNames()
    /// The whole table, where it was asked for: names of all columns, and each row's fields.
    package private(set) var table: (header: [String], rows: [[String]])?

    package var count: Int { texts.count }

    /// Reads TSV, CSV or JSON lines, as the name's ending says; the first line of TSV and CSV names the columns. A file of
    /// words, `.conll`, has no header.
    ///
    /// - Parameters:
    ///   - allowsPlainText: whether a file `.txt` of one text a line will do; it has no labels.
    ///   - keepsTable: whether ``table`` is wanted.
    /// - Complexity: O(bytes), in one pass.
    package init(
        path: String, columns: ColumnNames = ColumnNames(), labels need: LabelNeed, allowsPlainText: Bool = false, keepsTable: Bool = false
    ) throws(DatasetError) {
        let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
        let known = ["tsv", "csv", "jsonl", "json", "conll"] + (allowsPlainText ? ["txt"] : [])
        guard known.contains(ending) else {
            throw DatasetError(
                path: path, problem: "the ending \".\(ending)\" is unknown: name the file .tsv, .csv, .jsonl or .json, after what is in it")
        }
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw DatasetError(path: path, problem: error.problem) }
        guard !file.bytes.isEmpty else {
            throw DatasetError(path: path, problem: "is empty, a header and rows were needed: name another file")
        }
        switch ending {
        case "tsv": try self.init(TabSeparatedRows(file.bytes, path: path), path: path, columns: columns, need: need, keepsTable)
        case "csv": try self.init(CommaSeparatedRows(file.bytes, path: path), path: path, columns: columns, need: need, keepsTable)
        case "conll": try self.init(try WordLines(file.bytes, path: path, column: columns.label, labels: need), path: path)
        case "txt": try self.init(plainText: file.bytes, path: path)
        default: try self.init(JSONLines(file.bytes, path: path), path: path, columns: columns, need: need, keepsTable)
        }
    }

    private init(
        _ source: consuming any RowSource, path: String, columns: ColumnNames, need: LabelNeed, _ keepsTable: Bool
    ) throws(DatasetError) {
        self.path = path
        var source = source
        let header = source.header
        var choice = try ColumnChoice(columns, in: header, labels: need, path: path)
        choice.keepsFields = keepsTable
        self.columns = ColumnNames(
            text: header[choice.text], pair: choice.pair.map { header[$0] },
            label: choice.labels.isEmpty ? nil : choice.labels.map { header[$0] }.joined(separator: ","))
        if keepsTable { table = (header, []) }
        if choice.pair != nil { pairs = [] }
        if !choice.labels.isEmpty { labels = [] }
        while let row = try source.next(choice) {
            texts.append(row.text)
            if let pair = row.pair { pairs?.append(pair) }
            if let found = row.labels {
                guard need == .requiredPerhapsEmpty || !found.contains(where: Self.isBlank) else {
                    throw DatasetError(path: path, line: row.line, problem: "the label is empty: fill it in or take the row out")
                }
                labels?.append(found)
                if row.isList { hasLists = true }
            }
            lines.append(row.line)
            if let fields = row.fields { table?.rows.append(fields) }
        }
        guard !texts.isEmpty else {
            throw DatasetError(path: path, problem: "has a header and no rows, at least one was needed: name another file")
        }
    }

    private init(_ source: WordLines, path: String) throws(DatasetError) {
        self.path = path
        texts = source.sentences.map { $0.joined(separator: " ") }
        words = source.sentences
        labels = source.labels
        lines = source.lines
        guard !texts.isEmpty else {
            throw DatasetError(path: path, problem: "has no sentence, lines of a token and its label were needed: name another file")
        }
    }

    /// Lines that are not blank.
    private init(plainText bytes: [UInt8], path: String) throws(DatasetError) {
        self.path = path
        for (place, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self)
            guard !Self.isBlank(text) else { continue }
            texts.append(text)
            lines.append(place + 1)
        }
        guard !texts.isEmpty else { throw DatasetError(path: path, problem: "has no text, at least one line was needed: name another file") }
    }

    static func isBlank(_ text: String) -> Bool { !text.utf8.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D } }
}

/// One row, cut down to the columns that were chosen.
struct Row {
    let line: Int
    let text: String
    let pair: String?
    let labels: [String]?
    /// Whether the labels were written as a list.
    var isList = false
    /// All of the row's fields, where they are kept.
    var fields: [String]?
}

/// A file format: column names first, then row after row.
protocol RowSource {
    var header: [String] { get }
    init(_ bytes: [UInt8], path: String) throws(DatasetError)
    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row?
}
