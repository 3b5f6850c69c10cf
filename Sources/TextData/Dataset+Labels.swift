extension Dataset {
    /// Parts the labels of a list that is written as one text.
    package static let listSeparator: Character = ","

    /// Each row's numbers, for regression: one, or as many in each row; (rows, width) row after row.
    package func targets() throws(DatasetError) -> (values: [Float], width: Int) {
        var values: [Float] = []
        var width: Int?
        for (row, labels) in try neededLabels().enumerated() {
            let isText = labels.count == 1 && labels[0].contains(Self.listSeparator)
            let numbers = isText ? parts(of: labels[0]) : labels
            let needed = width ?? numbers.count
            width = needed
            guard numbers.count == needed, needed > 0 else {
                throw DatasetError(
                    path: path, line: lines[row], problem: "\(numbers.count) numbers, the first row has \(needed): give each row as many")
            }
            for number in numbers {
                guard let value = Float(number), value.isFinite else {
                    throw DatasetError(
                        path: path, line: lines[row], problem: "the label \"\(number)\" is no finite number, regression needs one: mend the row")
                }
                values.append(value)
            }
        }
        return (values, width ?? 1)
    }

    /// Each row's one label.
    package func labelColumn() throws(DatasetError) -> [String] {
        var column: [String] = []
        for (row, labels) in try neededLabels().enumerated() {
            guard labels.count == 1 else {
                throw DatasetError(
                    path: path, line: lines[row],
                    problem: "\(labels.count) labels, classification needs one: choose --task multi-label, regression or token-classification, "
                        + "or another --label-column")
            }
            column.append(labels[0])
        }
        return column
    }

    /// Each row's labels, of which there may be none.
    package func labelLists() throws(DatasetError) -> [[String]] {
        let all = try neededLabels()
        guard words == nil else {
            throw wrongKind("holds a label for each word, multi-label needs a list for each text: choose --task token-classification")
        }
        if hasLists { return all }
        guard all.allSatisfy({ $0.count == 1 }) else {
            throw wrongKind("has several label columns, multi-label needs one with lists: name one with --label-column")
        }
        return all.map { parts(of: $0[0]) }
    }

    /// A label for each word.
    package func wordLabels() throws(DatasetError) -> [[String]] {
        guard words != nil else {
            throw wrongKind("holds no single words, token-classification needs a file .conll with a word and its label a line")
        }
        return try neededLabels()
    }

    private func parts(of text: String) -> [String] {
        text.split(separator: Self.listSeparator).map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
        }.filter { !$0.isEmpty }
    }

    private func neededLabels() throws(DatasetError) -> [[String]] {
        guard let labels else { throw DatasetError(path: path, problem: "no label column was read: name one with --label-column") }
        return labels
    }

    private func wrongKind(_ problem: String) -> DatasetError { DatasetError(path: path, problem: problem) }
}
