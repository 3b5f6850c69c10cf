/// Sentences word by word, as the CoNLL tasks write them: one word per line with its label in another column, a blank
/// line between sentences.
///
/// Columns are separated by tabs, or by spaces if a line has no tab. Lines that begin with `-DOCSTART-` are
/// skipped, and so are comments before a sentence: lines that begin with `#`, as in CoNLL-U, and, if a word that begins
/// so could be meant, do not look like the sentence's other lines. A comment within a sentence is refused.
/// Source: Tjong Kim Sang and De Meulder 2003; universaldependencies.org/format.html.
struct WordLines {
    private(set) var sentences: [[String]] = []
    /// One label per word; nil if not requested.
    private(set) var labels: [[String]]?
    /// The line on which each sentence begins, from 1.
    private(set) var lines: [Int] = []

    /// Whether a line ended in a carriage return alone.
    private(set) var hasBareReturns = false

    /// The numbers of the columns that were named, now or when the model was trained.
    private(set) var named = ColumnNames()

    private let path: String
    private let columns: Columns

    /// Which fields of a line are read, from 0.
    private struct Columns {
        /// Whether the file is CoNLL-U, whose lines begin with a number.
        let areNumbered: Bool
        let word: Int
        /// Nil: the last one.
        let label: Int?
        let isLabelWanted: Bool
        /// Whether they are the columns of the training data, not ones that an option names.
        let areUsual: Bool

        var needed: Int { max(word, isLabelWanted ? label ?? 1 : 0) + 1 }
    }

    private struct Line {
        let number: Int
        let fields: [Substring]
        let isComment: Bool
    }

    /// Fields of the first line that certainly is a word.
    private var usualWidth: Int?
    /// Last fields of the lines that certainly are words.
    private var tags: Set<String> = []
    /// Sentences before which comments stand that may be words, and their indices: all tags decide.
    private var doubtful: [(index: Int, lines: [Line])] = []

    /// - Parameter asked: columns by their numbers from 1; the first is the word and the last its label, in CoNLL-U,
    ///   whose name ends in `.conllu`, the second is the word.
    init(
        _ bytes: [UInt8], _ blocks: TextBlocks, path: String, columns asked: ColumnNames, labels need: LabelNeed
    ) throws(DatasetError) {
        func number(_ name: String?, _ usual: String?, flag: String) throws(DatasetError) -> Int? {
            guard let name else { return usual.flatMap { Int($0) }.map { $0 - 1 } }
            guard let number = Int(name), number > 0 else {
                throw DatasetError(
                    path: path,
                    problem: "\(flag) is \"\(name)\", a file of words has no names: give the column's number, from 1")
            }
            return number - 1
        }
        let areNumbered = [".conllu", ".conllu.gz"].contains(where: path.lowercased().hasSuffix)
        let usual = asked.usual.flatMap { Int($0.text) ?? 0 > 0 ? $0 : nil }
        let namedWord = try number(asked.text, usual?.text, flag: "--text-column")
        let word = namedWord ?? (areNumbered ? 1 : 0)
        let label = try number(asked.label, usual?.label, flag: "--label-column")
        if namedWord != nil || label != nil {
            named = ColumnNames(text: String(word + 1), label: label.map { String($0 + 1) })
        }
        guard label != word || need == .unwanted else {
            throw DatasetError(
                path: path,
                problem: "column \(word + 1) cannot be both the word and its label: name another with --label-column")
        }
        guard label != nil || need == .unwanted || !areNumbered else {
            throw DatasetError(
                path: path,
                problem: "CoNLL-U has several labels per word: name one, such as --label-column 4, the part of speech")
        }
        self.path = path
        columns = Columns(
            areNumbered: areNumbered, word: word, label: label, isLabelWanted: need != .unwanted,
            areUsual: usual != nil && asked.text == nil && asked.label == nil)
        if columns.isLabelWanted { labels = [] }
        var reading = LineReading(bytes, blocks, path: path)
        while let sentence = try Self.sentence(&reading) { try append(sentence) }
        hasBareReturns = reading.hasBareReturns
        for (index, lines) in doubtful { try fill(index, with: words(of: lines)) }
        for (index, _) in doubtful.reversed() where sentences[index].isEmpty {
            sentences.remove(at: index)
            labels?.remove(at: index)
            lines.remove(at: index)
        }
        doubtful = []
        if namedWord == nil, !areNumbered { try refuseNumbers() }
    }

    /// Refuses words that are the numbers of words, as the first column of CoNLL-U has them.
    private func refuseNumbers() throws(DatasetError) {
        let areNumbers = sentences.allSatisfy { words in
            var count = 0
            return words.allSatisfy { word in
                if word == String(count + 1) { count += 1 } else if Int(word) != nil { return false }
                return word.allSatisfy { $0.isNumber || $0 == "-" || $0 == "." }
            }
        }
        guard areNumbers, sentences.contains(where: { $0.count > 1 }), usualWidth ?? 0 > 2 else { return }
        throw DatasetError(
            path: path,
            problem: "its first column numbers the words, as CoNLL-U does: name the column of the words with "
                + "--text-column 2"
                + (columns.isLabelWanted && columns.label == nil
                    ? ", and that of their labels with --label-column" : ""))
    }

    /// The lines up to the next blank one; nil at the end.
    private static func sentence(_ reading: inout LineReading) throws(DatasetError) -> [Line]? {
        var open: [Line] = []
        while let (number, line) = try reading.next() {
            guard !Dataset.isBlank(line), !line.hasPrefix("-DOCSTART-") else {
                if !open.isEmpty { return open }
                continue
            }
            let fields = line.utf8.contains(0x09) ? line.split(separator: "\t") : line.split(separator: " ")
            open.append(
                Line(number: number, fields: fields, isComment: line.hasPrefix("#") && open.allSatisfy(\.isComment)))
        }
        return open.isEmpty ? nil : open
    }

    private mutating func append(_ sentence: [Line]) throws(DatasetError) {
        for line in sentence where !line.isComment {
            if let tag = line.fields.last { tags.insert(String(tag)) }
        }
        let width = Self.width(of: sentence)
        usualWidth = usualWidth ?? width
        if let width,
            let line = sentence.first(where: {
                !$0.isComment && $0.fields.first == "#" && $0.fields.count != width
            })
        {
            throw DatasetError(
                path: path, line: line.number,
                problem: "fields: \(line.fields.count), the lines around it have \(width): a comment stands before its "
                    + "sentence, move it there or remove it")
        }
        if sentence.contains(where: { $0.isComment && Self.mayBeWord($0, width) }) {
            doubtful.append((sentences.count, sentence))
            add()
            return
        }
        let words = words(of: sentence)
        guard !words.isEmpty else { return }
        add()
        try fill(sentences.count - 1, with: words)
    }

    private mutating func add() {
        sentences.append([])
        labels?.append([])
        lines.append(0)
    }

    /// The fields of a sentence's first line that certainly is a word; nil if none is.
    private static func width(of sentence: [Line]) -> Int? { sentence.first { !$0.isComment }?.fields.count }

    private static func mayBeWord(_ comment: Line, _ width: Int?) -> Bool {
        comment.fields.first == "#" && comment.fields.count == width
    }

    /// Whether a line that begins with `#` is a word such as `#good`: it has as many fields as the sentence's other
    /// lines, or, in a sentence of such lines alone, as the file's.
    private func isHashedWord(_ comment: Line, _ width: Int?) -> Bool {
        comment.fields.first != "#" && comment.fields.count == width ?? usualWidth ?? comment.fields.count
    }

    private func words(of sentence: [Line]) -> [Line] {
        let width = Self.width(of: sentence)
        return sentence.filter { line in
            if line.isComment {
                return isHashedWord(line, width)
                    || (Self.mayBeWord(line, width) && line.fields.last.map { tags.contains(String($0)) } == true)
            }
            // Numbers of multiword tokens and of empty nodes.
            return !columns.areNumbered || line.fields[0].allSatisfy(\.isNumber)
        }
    }

    private mutating func fill(_ sentence: Int, with words: [Line]) throws(DatasetError) {
        guard let first = words.first else { return }
        lines[sentence] = first.number
        for line in words {
            let fields = line.fields
            guard fields.count >= columns.needed else {
                throw DatasetError(
                    path: path, line: line.number,
                    problem:
                        "\(fields.count) \(fields.count == 1 ? "field" : "fields"), expected at least "
                        + "\(columns.needed): a word and its label, separated by a tab or spaces"
                        + (columns.areUsual
                            ? "; the columns are those of training, --text-column and --label-column name others" : ""))
            }
            sentences[sentence].append(String(fields[columns.word]))
            if columns.isLabelWanted { labels?[sentence].append(String(fields[columns.label ?? fields.count - 1])) }
        }
    }
}
