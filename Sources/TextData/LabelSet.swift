/// The classes of a task: how a data file writes them, and the names that a model's configuration gives them.
package struct LabelSet: Equatable, Sendable {
    /// The name of each class in config.json's id2label.
    package let names: [String]
    /// How a data file writes each class.
    package let words: [String]
    private var indices: [String: Int32]

    package var count: Int { names.count }

    /// The classes of training labels. Integers 0, 1, … keep their numbers and are named LABEL_0, LABEL_1, … as in
    /// Transformers; other integers are sorted by value, words by their characters' code points. Where these are the
    /// classes of the source model, they keep its order.
    package init(training dataset: Dataset, knownTo model: [String] = []) throws(DatasetError) {
        let found = Set(try dataset.labelColumn())
        guard found.count > 1 else {
            throw DatasetError(
                path: dataset.path, problem: "every label is \"\(found.first ?? "")\", at least 2 classes were needed: check --label-column")
        }
        if model.count == found.count, Set(model) == found {
            self.init(words: model, names: model)
            return
        }
        let numbers = found.compactMap { word in Int(word).flatMap { String($0) == word ? $0 : nil } }
        if numbers.count == found.count {
            let sorted = numbers.sorted()
            let words = sorted.map { String($0) }
            let isCount = sorted == Array(0..<sorted.count)
            self.init(words: words, names: isCount ? words.map { "LABEL_" + $0 } : words)
        } else {
            let words = found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            self.init(words: words, names: words)
        }
    }

    /// The classes of a model that was trained before; where its names are LABEL_0, LABEL_1, … data files may write 0, 1, … too.
    package init(names: [String]) {
        let isCount = names.indices.allSatisfy { names[$0] == "LABEL_\($0)" }
        self.init(words: isCount ? names.indices.map { String($0) } : names, names: names)
        if isCount { for (index, name) in names.enumerated() { indices[name] = Int32(index) } }
    }

    private init(words: [String], names: [String]) {
        self.words = words
        self.names = names
        var indices: [String: Int32] = [:]
        for (index, word) in words.enumerated() { indices[word] = Int32(index) }
        self.indices = indices
    }

    /// The class of each row.
    package func classes(of dataset: Dataset) throws(DatasetError) -> [Int32] {
        let labels = try dataset.labelColumn()
        var classes: [Int32] = []
        classes.reserveCapacity(labels.count)
        for (row, label) in labels.enumerated() {
            guard let index = indices[label] else {
                let shown = words.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ") + (words.count > 10 ? ", …" : "")
                throw DatasetError(
                    path: dataset.path, line: dataset.lines[row],
                    problem: "the label \"\(label)\" was never seen in training, known are \(shown): mend the row or train with it")
            }
            classes.append(index)
        }
        return classes
    }
}

extension Dataset {
    /// Each row's label as a number, for regression.
    package func targets() throws(DatasetError) -> [Float] {
        let labels = try labelColumn()
        var targets: [Float] = []
        targets.reserveCapacity(labels.count)
        for (row, label) in labels.enumerated() {
            guard let value = Float(label), value.isFinite else {
                throw DatasetError(
                    path: path, line: lines[row], problem: "the label \"\(label)\" is no finite number, regression needs one: mend the row")
            }
            targets.append(value)
        }
        return targets
    }

    func labelColumn() throws(DatasetError) -> [String] {
        guard let labels else { throw DatasetError(path: path, problem: "no label column was read: name one with --label-column") }
        return labels
    }
}
