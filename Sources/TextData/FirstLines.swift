internal import Foundation

/// The first lines of a file, to tell what it is.
struct FirstLines {
    private let lines: [ArraySlice<UInt8>]

    init(_ bytes: [UInt8]) {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count, lines.count < DataFormat.firstLines {
            let end = LineEnd.next(in: bytes, from: start)
            lines.append(bytes[start..<end.begin])
            start = end.after
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

    /// An object whose first key is there, or a list of such objects: more than braces at the start of a text.
    var beginsObjectWithKey: Bool {
        var cursor = JSONCursor(Array(lines.joined(separator: [0x0A])))
        if cursor.peek() == UInt8(ascii: "["), (try? cursor.open("[")) == nil { return false }
        guard cursor.peek() == UInt8(ascii: "{"), (try? cursor.open("{")) != nil else { return false }
        return (try? cursor.nextKey()) != nil
    }

    /// The format that the lines indicate; nil if they could be anything.
    func format(_ columns: ColumnNames) -> DataFormat? {
        if beginsObject { return .jsonLines }
        if namesColumns(columns, between: 0x09) { return .tsv }
        if namesColumns(columns, between: UInt8(ascii: ",")) { return .csv }
        if namesColumns(columns, between: UInt8(ascii: ";")) { return .semicolons }
        return areTaggedWords ? .conll : nil
    }

    /// Whether the first line has one of the known column names, or several names of which a model was trained on one.
    func namesColumns(_ asked: ColumnNames, between separator: UInt8) -> Bool {
        let names = names(between: separator)
        let usual = names.count > 1 ? [asked.usual?.text, asked.usual?.pair, asked.usual?.label] : []
        let known = Set(
            ColumnChoice.knownTexts + ColumnChoice.knownLabels
                + ([asked.text, asked.pair, asked.label] + usual).compactMap { $0 })
        return !known.isDisjoint(with: names)
    }

    /// Whether the first line has the name of a text and that of its label, which no sentence begins with.
    func namesTextAndLabel(between separator: UInt8) -> Bool {
        let names = names(between: separator)
        return !Set(ColumnChoice.knownTexts).isDisjoint(with: names)
            && !Set(ColumnChoice.knownLabels).isDisjoint(with: names)
    }

    /// Whether the first line names a column of words and, last, one of tags.
    var namesWordsAndTags: Bool {
        let names = header.split { $0 == 0x20 || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self).lowercased() }
        guard let first = names.first, let last = names.last, names.count > 1 else { return false }
        return ["word", "words", "token", "tokens", "form"].contains(first)
            && ["tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "pos", "pos_tags"].contains(last)
    }

    private func names(between separator: UInt8) -> [String] {
        header.split(separator: separator, omittingEmptySubsequences: false).map { part in
            Dataset.trimmed(String(decoding: part, as: UTF8.self)).trimmingCharacters(in: ["\""])
        }
    }

    /// Whether there are blank lines with others after them, as between sentences.
    var haveBlankOnes: Bool { lines.drop { !$0.isEmpty }.contains { !$0.isEmpty } }

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

    static func isTag(_ tag: ArraySlice<UInt8>) -> Bool {
        tag.elementsEqual("O".utf8)
            || (tag.count > 2 && "BIESLU".utf8.contains(tag[tag.startIndex])
                && tag[tag.startIndex + 1] == UInt8(ascii: "-"))
    }
}
