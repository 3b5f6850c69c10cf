package import Foundation

/// The rows of one data file, or of several that are read as one: texts, optional second texts, optional labels as
/// written.
package struct Dataset: Sendable {
    /// As named; several files, a pattern or a folder too.
    package private(set) var path: String
    /// The files of the rows, and each row's; nil if there is one file.
    private var origin: (files: [String], ofRow: [Int])?
    package internal(set) var texts = PackedTexts()
    package private(set) var pairs: PackedTexts?
    /// Each row's label, or several of them, according to ``labelLayout``.
    package internal(set) var labels: [[String]]?
    package internal(set) var labelLayout = LabelLayout.single
    /// Each row's words, if the file gives them one by one.
    package internal(set) var words: [[String]]?
    /// The line of the file on which each row begins, from 1.
    package private(set) var lines: [Int] = []
    /// Notes for the user about how the file was read, one line each.
    package internal(set) var notes: [String] = []
    /// The columns that were read; empty if the file has none.
    package private(set) var columns = ColumnNames()
    /// The whole table, if requested: names of all columns, and each row's fields.
    package private(set) var table: (header: [String], rows: [[String]])?

    package var count: Int { texts.count }

    /// Reads data files. The first line of TSV and CSV names the columns; a file of words, `.conll`, has no header.
    ///
    /// - Parameters:
    ///   - path: what ``DataFiles`` takes. The first file decides about columns and form of all.
    ///   - part: the split that is read of a folder.
    ///   - format: nil: detected from the name's suffix and the first lines.
    ///   - allowsPlainText: whether a file of one text per line is accepted; it has no labels.
    ///   - keepsTable: whether to keep ``table``.
    /// - Complexity: O(bytes).
    package init(
        path: String, part: DataFolder.Part = .train, format: DataFormat? = nil, columns: ColumnNames = ColumnNames(),
        labels need: LabelNeed, allowsPlainText: Bool = false, keepsTable: Bool = false
    ) throws(DatasetError) {
        let files = try DataFiles.paths(path, for: part)
        func read(_ file: String, _ columns: ColumnNames, _ need: LabelNeed) throws(DatasetError) -> Dataset {
            try Dataset(
                file: file, format: format, columns: columns, labels: need, allowsPlainText: allowsPlainText,
                keepsTable: keepsTable)
        }
        self = try read(files[0], columns, need)
        guard files.count > 1 else { return }
        let chosen = self.columns == ColumnNames() ? columns : self.columns
        for file in files.dropFirst() {
            try append(try read(file, chosen, labels == nil ? .unwanted : need), of: files)
        }
        self.path = path
    }

    /// Reads data from a stream up to its end, as those of a file.
    /// - Parameter name: the stream's in messages.
    package init(
        stream: FileHandle, name: String, format: DataFormat?, columns: ColumnNames = ColumnNames(),
        labels need: LabelNeed, allowsPlainText: Bool = false, keepsTable: Bool = false
    ) throws(DatasetError) {
        try self.init(
            file: name, stream: stream, format: format, columns: columns, labels: need,
            allowsPlainText: allowsPlainText, keepsTable: keepsTable)
    }

    private init(
        file path: String, stream: FileHandle? = nil, format asked: DataFormat?, columns: ColumnNames,
        labels need: LabelNeed, allowsPlainText: Bool, keepsTable: Bool
    ) throws(DatasetError) {
        self.path = path
        let blocks: TextBlocks
        var bytes: [UInt8]
        do throws(TextFile.Failure) {
            blocks = if let stream { try TextBlocks(stream: stream) } else { try TextBlocks(path: path) }
            bytes = try blocks.next(lines: DataFormat.firstLines) ?? []
        } catch { throw DatasetError(path: path, problem: error.problem) }
        guard !bytes.isEmpty else {
            throw DatasetError(path: path, problem: "is empty, expected a header and rows: name another file")
        }
        if blocks.isOver, !bytes.contains(0x0A), bytes.contains(0x0D) {
            bytes = bytes.map { $0 == 0x0D ? 0x0A : $0 }
            notes.append("its lines end in bare carriage returns, which are read as line ends")
        }
        func wholeFile() throws(DatasetError) {
            do throws(TextFile.Failure) { bytes = try blocks.remaining(after: bytes) } catch {
                throw DatasetError(path: path, problem: error.problem)
            }
        }
        let (format, note) =
            if let asked { (asked, nil as String?) } else {
                try DataFormat.found(in: bytes, path: path, columns: columns, allowsPlainText: allowsPlainText) {
                    () throws(DatasetError) in
                    guard !blocks.isOver, blocks.isLasting else {
                        try wholeFile()
                        return TabQuotes(bytes)
                    }
                    do throws(TextFile.Failure) { return try TabQuotes(TextBlocks(path: path)) } catch {
                        throw DatasetError(path: path, problem: error.problem)
                    }
                }
            }
        if let note { notes.append(note) }
        switch format {
        case .csv: try read(DelimitedRows(bytes, blocks, .csv, path: path), columns, need, keepsTable)
        case .semicolons: try read(DelimitedRows(bytes, blocks, .semicolons, path: path), columns, need, keepsTable)
        case .tsv: try read(DelimitedRows(bytes, blocks, .tsv, path: path), columns, need, keepsTable)
        case .quotedTSV: try read(DelimitedRows(bytes, blocks, .quotedTSV, path: path), columns, need, keepsTable)
        case .jsonLines:
            if JSONLines.isList(bytes) { try wholeFile() }
            try read(
                JSONLines(bytes, blocks.isOver ? nil : blocks, path: path), columns, need, keepsTable)
        case .conll: try read(WordLines(bytes, blocks, path: path, columns: columns, labels: need))
        case .text:
            guard allowsPlainText else {
                throw DatasetError(
                    path: path, problem: "a file of one text per line has no labels: that is data for --task masked-lm")
            }
            try read(plainText: bytes, blocks)
        }
    }

    private mutating func read(
        _ source: consuming any RowSource, _ columns: ColumnNames, _ need: LabelNeed, _ keepsTable: Bool
    ) throws(DatasetError) {
        var source = source
        let header = source.header
        var choice = try ColumnChoice(columns, in: header, labels: need, path: path)
        choice.keepsFields = keepsTable
        self.columns = ColumnNames(
            text: header[choice.text], pair: choice.pair.map { header[$0] },
            label: choice.labels.isEmpty ? nil : choice.labels.map { header[$0] }.joined(separator: ","))
        if keepsTable { table = (header, []) }
        var known = KnownLabels()
        if choice.pair != nil { pairs = [] }
        if !choice.labels.isEmpty { labels = [] }
        if choice.labels.count > 1 { labelLayout = .columns(choice.labels.map { source.header[$0] }) }
        let names = (text: header[choice.text], labels: choice.labels.map { header[$0] })
        while let row = try source.next(choice) {
            if row.text == names.text, row.labels == names.labels || row.fields == header {
                throw DatasetError(
                    path: path, line: row.line, problem: "repeats the names of the columns: take that line out")
            }
            texts.append(row.text)
            if let pair = row.pair { pairs?.append(pair) }
            lines.append(row.line)
            try take(row.words)
            if let found = row.labels { try take(found, isList: row.isList, words: row.words, need, &known) }
            if let fields = row.fields { table?.rows.append(fields) }
        }
        if source.hasBareReturns { notes.append(LineEnd.note) }
        notes += source.notes
        guard !texts.isEmpty else {
            throw DatasetError(
                path: path, problem: "has a header and no rows, expected at least one: name another file")
        }
        if labelLayout == .single { try readListsInFields() }
        readTagsInFields()
        try needLabelsOfAllWords()
    }

    private mutating func take(_ found: [String]?) throws(DatasetError) {
        guard texts.count > 1 else { return words = found.map { [$0] } }
        guard (found == nil) == (words == nil) else {
            throw DatasetError(
                path: path, line: lines.last,
                problem:
                    "the text is \(found == nil ? "a string" : "a list"), in the first row it is not: write all rows "
                    + "alike"
            )
        }
        if let found { words?.append(found) }
    }

    private mutating func take(
        _ found: [String], isList: Bool, words: [String]?, _ need: LabelNeed, _ known: inout KnownLabels
    ) throws(DatasetError) {
        let found = found.map(Self.trimmed)
        guard need == .requiredPerhapsEmpty || !found.contains(where: \.isEmpty) else {
            let remedy =
                labelLayout == .single
                ? "fill it in, remove the row, or use --task multi-label, which allows rows without labels"
                : "fill it in or remove the row"
            throw DatasetError(path: path, line: lines.last, problem: "the label is empty: \(remedy)")
        }
        if isList { labelLayout = words == nil ? .lists : .words }
        labels?.append(known.shared(found))
    }

    private func needLabelsOfAllWords() throws(DatasetError) {
        guard labelLayout == .words, let words, let labels else { return }
        if let row = labels.firstIndex(where: { $0.contains("-100") }) {
            throw DatasetError(
                path: path, line: lines[row],
                problem: "the label -100 stands for a word without a label, expected a label for each word: "
                    + "give it one, O if it is not an entity, or remove the row")
        }
        for row in words.indices where words[row].count != labels[row].count {
            throw DatasetError(
                path: path, line: lines[row],
                problem: "words: \(words[row].count), labels: \(labels[row].count): give each word one, "
                    + "or the text as a string where the labels are those of the whole text")
        }
    }

    private mutating func read(_ source: WordLines) throws(DatasetError) {
        texts = PackedTexts(source.sentences.lazy.map { $0.joined(separator: " ") })
        words = source.sentences
        labels = source.labels
        lines = source.lines
        columns = source.named
        if source.hasBareReturns { notes.append(LineEnd.note) }
        labelLayout = .words
        guard !texts.isEmpty else {
            throw DatasetError(
                path: path, problem: "has no sentence, expected lines of a word and its label: name another file")
        }
    }

    /// Lines that are not blank.
    private mutating func read(plainText first: [UInt8], _ blocks: TextBlocks) throws(DatasetError) {
        var reading = LineReading(first, blocks, path: path)
        while let (number, text) = try reading.next() {
            guard !Self.isBlank(text) else { continue }
            texts.append(text)
            lines.append(number)
        }
        if reading.hasBareReturns { notes.append(LineEnd.note) }
        guard !texts.isEmpty else {
            throw DatasetError(path: path, problem: "has no text, expected at least one line: name another file")
        }
    }

    /// Adds the rows of another file, the next of `files`.
    private mutating func append(_ other: Dataset, of files: [String]) throws(DatasetError) {
        let name = origin.map { $0.files[0] } ?? path
        guard other.labelLayout == labelLayout, (other.words == nil) == (words == nil),
            (other.table == nil) == (table == nil), other.table?.header == table?.header
        else {
            throw DatasetError(
                path: other.path,
                problem: "its columns or labels have another form than those of \(name): write all files alike")
        }
        var ofRow = origin?.ofRow ?? [Int](repeating: 0, count: count)
        ofRow += [Int](repeating: (ofRow.last ?? 0) + 1, count: other.count)
        origin = (files, ofRow)
        for text in other.texts { texts.append(text) }
        for pair in other.pairs ?? [] { pairs?.append(pair) }
        if let added = other.labels { labels?.append(contentsOf: added) }
        if let added = other.words { words?.append(contentsOf: added) }
        if let added = other.table { table?.rows.append(contentsOf: added.rows) }
        lines += other.lines
        for note in other.notes where !notes.contains(note) { notes.append(note) }
    }

    /// The file of a row, as it was found.
    package func file(ofRow row: Int) -> String { origin.map { $0.files[$0.ofRow[row]] } ?? path }

    /// A row's line, with its file if there are several.
    package func position(ofRow row: Int) -> String {
        origin == nil ? String(lines[row]) : "\(file(ofRow: row)):\(lines[row])"
    }

    /// An error about a row, or about all rows.
    package func error(inRow row: Int?, _ problem: String) -> DatasetError {
        guard let row else { return DatasetError(path: path, problem: problem) }
        return DatasetError(path: file(ofRow: row), line: lines[row], problem: problem)
    }

    /// Some of the rows, by their numbers from 0.
    package func rows(_ numbers: [Int]) -> Dataset {
        var part = self
        part.texts = PackedTexts(numbers.lazy.map { texts[$0] })
        part.pairs = pairs.map { all in PackedTexts(numbers.lazy.map { all[$0] }) }
        part.labels = labels.map { all in numbers.map { all[$0] } }
        part.words = words.map { all in numbers.map { all[$0] } }
        part.lines = numbers.map { lines[$0] }
        part.origin = origin.map { all in (all.files, numbers.map { all.ofRow[$0] }) }
        return part
    }

    static func isBlank(_ text: String) -> Bool { !text.utf8.contains { !isSpace($0) } }

    /// A text without the white space around it.
    static func trimmed(_ text: String) -> String {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last, isSpace(first) || isSpace(last) else { return text }
        guard let start = bytes.firstIndex(where: { !isSpace($0) }), let end = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(text[start...end])
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
