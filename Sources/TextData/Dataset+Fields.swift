/// Lists that programs printed into fields of a table.
extension Dataset {
    /// Takes lists that programs printed into fields for what they are.
    ///
    /// A single word in brackets may be the name of a class; anything else that is a list asks for lists in all rows.
    mutating func readListsInFields() throws(DatasetError) {
        guard let fields = labels else { return }
        let isAll = fields.allSatisfy { $0[0].isEmpty || ListLiteral.isLikely($0[0]) }
        guard let first = isAll ? fields.firstIndex(where: { !$0[0].isEmpty }) : Self.firstCertainList(fields) else {
            return
        }
        var known = KnownLabels()
        var lists: [[String]] = []
        for (row, field) in fields.enumerated() {
            guard field[0].isEmpty || ListLiteral.isLikely(field[0]) else {
                throw DatasetError(
                    path: path, line: lines[row],
                    problem:
                        "the label \"\(field[0].prefix(40))\" is not a list, as \"\(fields[first][0].prefix(40))\" in "
                        + "line \(lines[first]) is: write lists in all rows, [] for no label")
            }
            guard let list = field[0].isEmpty ? [] : ListLiteral(field[0])?.elements.map(Self.trimmed) else {
                throw DatasetError(
                    path: path, line: lines[row],
                    problem:
                        "the list \"\(field[0].prefix(40))\" cannot be read: separate the labels by commas, or use "
                        + "JSON lines"
                )
            }
            lists.append(known.shared(list))
        }
        labels = lists
        labelLayout = .lists
        readWordsInFields()
    }

    /// The first row whose label cannot be anything but a list. Labels that come again are looked at once.
    private static func firstCertainList(_ fields: [[String]]) -> Int? {
        var plain: Set<String> = []
        return fields.firstIndex { field in
            guard !plain.contains(field[0]) else { return false }
            if plain.count < KnownLabels.most { plain.insert(field[0]) }
            return ListLiteral(field[0])?.isCertain == true
        }
    }

    /// Takes printed lists of words beside as long lists of labels for a label a word.
    private mutating func readWordsInFields() {
        guard words == nil, pairs == nil, let labels else { return }
        let lists = texts.compactMap { text in ListLiteral(text).flatMap { $0.isCertain ? $0.elements : nil } }
        guard lists.count == texts.count, zip(lists, labels).allSatisfy({ $0.count == $1.count && !$0.isEmpty }) else {
            return
        }
        words = lists
        texts = PackedTexts(lists.lazy.map { $0.joined(separator: " ") })
        labelLayout = .words
        notes.append("its texts and labels are lists of the same lengths, which are read as words with a label each")
    }

    /// Takes entity tags with spaces or commas between, as `O B-PER`, or in a list beside a text, for a label a word.
    mutating func readTagsInFields() {
        guard words == nil, pairs == nil, labelLayout == .single || labelLayout == .lists, let labels else { return }
        let isList = labelLayout == .lists
        let separator: Character = labels.contains { $0.contains { $0.contains(",") } } ? "," : " "
        var lists: [[String]] = []
        var hasSeveral = false
        for label in labels {
            let tags = isList ? label : Self.parts(of: label[0], separator)
            guard Self.areTags(tags) else { return }
            hasSeveral = hasSeveral || tags.count > 1
            lists.append(tags)
        }
        guard hasSeveral else { return }
        words = texts.map { text in text.split { $0.isWhitespace }.map(String.init) }
        self.labels = lists
        labelLayout = .words
        let form = isList ? "lists of tags" : "tags with \(separator == " " ? "spaces" : "commas") between"
        notes.append("its labels are \(form), which are read as a label for each word")
    }

    /// Whether all labels are entity tags as the CoNLL tasks have them.
    package static func areTags(_ labels: some Sequence<String>) -> Bool {
        labels.allSatisfy { FirstLines.isTag(Array($0.utf8)[...]) }
    }

    /// Takes texts that are printed lists for the words of sentences; nothing happens unless all are.
    package mutating func readWordsInTexts() {
        guard words == nil, pairs == nil else { return }
        let lists = texts.compactMap { text in ListLiteral(text).flatMap { $0.isCertain ? $0.elements : nil } }
        guard lists.count == texts.count else { return }
        words = lists
        texts = PackedTexts(lists.lazy.map { $0.joined(separator: " ") })
        notes.append("its texts are lists, which are read as words")
    }
}
