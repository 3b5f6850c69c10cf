extension Dataset {
    /// Separates the labels of a list that is written as one text.
    package static let listSeparator: Character = ","

    /// What separates the labels of a text here: the first of a comma, a vertical bar and a semicolon that is in any; a
    /// slash, a plus sign or an ampersand if its parts come again in other labels; a space where each row is as many
    /// zeros and ones.
    package var labelSeparator: Character {
        let found = [Self.listSeparator, "|", ";"].first { separator in
            labels?.contains { $0.contains { $0.contains(separator) } } ?? false
        }
        return found ?? ["/", "+", "&"].first(where: joinsLabels) ?? (hasSpacedFlags ? " " : Self.listSeparator)
    }

    /// Whether a character that names may have too, such as TCP/IP, C++ and R&D, joins labels here.
    private func joinsLabels(_ separator: Character) -> Bool {
        guard labelLayout == .single, let labels, labels.contains(where: { $0[0].contains(separator) }) else {
            return false
        }
        let values = Set(labels.lazy.map { $0[0] })
        let areWhole = values.allSatisfy { value in
            !value.split(separator: separator, omittingEmptySubsequences: false).contains { Self.isBlank(String($0)) }
                || value.isEmpty
        }
        return areWhole && Self.comeAgain(values.map { Self.parts(of: $0, separator) })
    }

    /// Whether labels occur in several combinations, or alone and in one; the parts of a name with a comma in it, such
    /// as "Portland, Oregon", do not.
    package static func comeAgain(_ lists: [[String]]) -> Bool {
        let single = Set(lists.joined())
        let count = lists.reduce(0) { $0 + $1.count }
        let alone = Set(lists.filter { $0.count == 1 }.joined())
        let isMixed = lists.contains { $0.count > 1 && !alone.isDisjoint(with: $0) }
        return isMixed || single.count <= lists.count && count > single.count
    }

    /// Whether each row is written as zeros and ones with spaces between, at least two and as many in each.
    private var hasSpacedFlags: Bool {
        func flags(_ label: String) -> Int? {
            let parts = Self.parts(of: label, " ")
            return parts.allSatisfy { LabelFlag.value(of: $0) != nil } ? parts.count : nil
        }
        guard labelLayout == .single, let labels, let width = labels.first.flatMap({ flags($0[0]) }), width > 1 else {
            return false
        }
        return labels.allSatisfy { flags($0[0]) == width }
    }

    /// Each row's numbers, for regression: one, or as many in each row; (rows, width) row after row.
    package func targets() throws(DatasetError) -> (values: [Float], width: Int) {
        var values: [Float] = []
        var width: Int?
        var isChecked = false
        for (row, labels) in try neededLabels().enumerated() {
            let isText = labels.count == 1 && labels[0].contains(Self.listSeparator)
            if isText || labels.contains(where: { Float($0) == nil }), !isChecked {
                isChecked = true
                try needPlainNumbers()
            }
            let numbers = isText ? Self.parts(of: labels[0]) : labels
            let needed = width ?? numbers.count
            width = needed
            guard numbers.count == needed, needed > 0 else {
                throw error(
                    inRow: row,
                    "\(numbers.count == 1 ? "1 number" : "\(numbers.count) numbers"), the first row has "
                        + "\(needed): give each row as many"
                )
            }
            for number in numbers {
                guard let value = Float(number), value.isFinite else {
                    throw error(
                        inRow: row,
                        "the label \"\(number)\" is not a finite number, as regression needs: correct the row")
                }
                values.append(value)
            }
        }
        return (values, width ?? 1)
    }

    /// Refuses numbers with signs that no program reads.
    private func needPlainNumbers() throws(DatasetError) {
        guard labelLayout == .single, let (text, notation) = NumberNotation.foreign((labels ?? []).joined()) else {
            return
        }
        throw error(aboutNumber: text, notation, ways: "; two numbers go into brackets, [0.5, 2]")
    }

    /// Each row's one label.
    package func labelColumn() throws(DatasetError) -> [String] {
        var column: [String] = []
        for (row, labels) in try neededLabels().enumerated() {
            guard labels.count == 1 else {
                throw error(
                    inRow: row,
                    "\(labels.count) labels, classification needs one: choose --task multi-label, regression or "
                        + "token-classification, or another --label-column")
            }
            column.append(labels[0])
        }
        return column
    }

    /// Each row's labels, possibly none, or their flags.
    package func labelLists() throws(DatasetError) -> [[String]] {
        let all = try neededLabels()
        switch labelLayout {
        case .words:
            throw wrongKind(
                "has a label for each word, multi-label needs a list for each text: choose --task token-classification"
            )
        case .lists, .columns: return all
        case .single:
            let separator = labelSeparator
            return all.map { Self.parts(of: $0[0], separator) }
        }
    }

    /// The number of labels if rows are 0-or-1 vectors; nil if they are not.
    ///
    /// A vector of flags differs from a list of label numbers only in form: the same length in each row, at least 2,
    /// and only 0 and 1. A list of the labels 0 and 1 would look the same only if each row had both.
    package var flagWidth: Int? {
        guard let lists = try? labelLists(), let width = lists.first?.count, width > 1 else { return nil }
        return lists.allSatisfy { $0.count == width && $0.allSatisfy { LabelFlag.value(of: $0) != nil } } ? width : nil
    }

    /// A label for each word.
    package func wordLabels() throws(DatasetError) -> [[String]] {
        guard labelLayout == .words else {
            throw wrongKind(
                "has no single words, token-classification needs a .conll file with one word and its label per line, "
                    + "or JSON lines with a list of words and a list of labels")
        }
        return try neededLabels()
    }

    /// The labels or numbers of a text, which commas or another character separate.
    package static func parts(of text: String, _ separator: Character = listSeparator) -> [String] {
        text.split(separator: separator).map { trimmed(String($0)) }.filter { !$0.isEmpty }
    }

    private func neededLabels() throws(DatasetError) -> [[String]] {
        guard let labels else {
            throw DatasetError(path: path, problem: "no label column was read: name one with --label-column")
        }
        return labels
    }

    private func wrongKind(_ problem: String) -> DatasetError { DatasetError(path: path, problem: problem) }
}
