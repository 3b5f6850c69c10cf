/// Sentences word by word, as the CoNLL tasks write them: one word per line with its label in another column, a blank
/// line between sentences.
///
/// Columns are separated by tabs, or by spaces if a line has no tab. Lines that begin with `-DOCSTART-` are
/// skipped, and so are comments before a sentence: lines that begin with `#` and a space, as in CoNLL-U, and, if a word
/// `#` could be meant, do not look like the sentence's other lines. Source: Tjong Kim Sang and De Meulder 2003;
/// universaldependencies.org/format.html.
struct WordLines {
    private(set) var sentences: [[String]] = []
    /// One label per word; nil if not requested.
    private(set) var labels: [[String]]?
    /// The line on which each sentence begins, from 1.
    private(set) var lines: [Int] = []

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

        var needed: Int { max(word, isLabelWanted ? label ?? 1 : 0) + 1 }
    }

    private struct Line {
        let number: Int
        let fields: [Substring]
        let isComment: Bool
    }

    /// - Parameter asked: columns by their numbers from 1; the first is the word and the last its label, in CoNLL-U,
    ///   whose name ends in `.conllu`, the second is the word.
    init(_ bytes: [UInt8], path: String, columns asked: ColumnNames, labels need: LabelNeed) throws(DatasetError) {
        func number(_ name: String?, flag: String) throws(DatasetError) -> Int? {
            guard let name else { return nil }
            guard let number = Int(name), number > 0 else {
                throw DatasetError(
                    path: path,
                    problem: "\(flag) is \"\(name)\", a file of words has no names: give the column's number, from 1")
            }
            return number - 1
        }
        let areNumbered = [".conllu", ".conllu.gz"].contains(where: path.lowercased().hasSuffix)
        let word = try number(asked.text, flag: "--text-column") ?? (areNumbered ? 1 : 0)
        let label = try number(asked.label, flag: "--label-column")
        guard label != word else {
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
        columns = Columns(areNumbered: areNumbered, word: word, label: label, isLabelWanted: need != .unwanted)
        if columns.isLabelWanted { labels = [] }
        let sentences = Self.sentences(bytes)
        let tags = Set(sentences.joined().lazy.filter { !$0.isComment }.compactMap(\.fields.last))
        for sentence in sentences { try append(sentence, tags: tags) }
    }

    /// Lines between blank ones.
    private static func sentences(_ bytes: [UInt8]) -> [[Line]] {
        var sentences: [[Line]] = []
        var open: [Line] = []
        for (index, bytes) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let line = String(decoding: bytes.last == 0x0D ? bytes.dropLast() : bytes, as: UTF8.self)
            guard !Dataset.isBlank(line), !line.hasPrefix("-DOCSTART-") else {
                if !open.isEmpty { sentences.append(open) }
                open = []
                continue
            }
            let fields = line.utf8.contains(0x09) ? line.split(separator: "\t") : line.split(separator: " ")
            open.append(
                Line(number: index + 1, fields: fields, isComment: line.hasPrefix("# ") && open.allSatisfy(\.isComment))
            )
        }
        return open.isEmpty ? sentences : sentences + [open]
    }

    /// - Parameter tags: last fields of the lines that certainly are words.
    private mutating func append(_ sentence: [Line], tags: Set<Substring>) throws(DatasetError) {
        let width = sentence.first { !$0.isComment }?.fields.count
        let words = sentence.filter { line in
            if line.isComment {
                return line.fields.first == "#" && line.fields.count == width
                    && line.fields.last.map(tags.contains) == true
            }
            // Numbers of multiword tokens and of empty nodes.
            return !columns.areNumbered || line.fields[0].allSatisfy(\.isNumber)
        }
        guard let first = words.first else { return }
        sentences.append([])
        labels?.append([])
        lines.append(first.number)
        for line in words {
            let fields = line.fields
            guard fields.count >= columns.needed else {
                throw DatasetError(
                    path: path, line: line.number,
                    problem:
                        "\(fields.count) \(fields.count == 1 ? "field" : "fields"), expected at least "
                        + "\(columns.needed): "
                        + "a word and its label, separated by a tab or spaces")
            }
            sentences[sentences.count - 1].append(String(fields[columns.word]))
            if columns.isLabelWanted {
                labels?[sentences.count - 1].append(String(fields[columns.label ?? fields.count - 1]))
            }
        }
    }
}
