/// The classes of a task: how a data file writes them, and the names that a model's configuration gives them.
package struct LabelSet: Equatable, Sendable {
    /// The name of each class in config.json's id2label.
    package let names: [String]
    /// How a data file writes each class.
    package let words: [String]
    /// Whether lists give a 0 or 1 for each label, and not the labels of a row; nil: detected from the lists.
    private var readsFlags: Bool?
    private var indices: [String: Int32]

    package var count: Int { names.count }

    /// The classes of training labels. Integers 0, 1, … keep their numbers and are named LABEL_0, LABEL_1, … as in
    /// Transformers; other integers are sorted by value, words by their characters' code points. If these are the
    /// classes of the source model, they keep its order.
    package init(training dataset: Dataset, knownTo model: [String] = []) throws(DatasetError) {
        try self.init(Set(try dataset.labelColumn()), of: dataset, atLeast: 2, knownTo: model)
    }

    /// The labels of a multi-label task: those that the lists name, the columns' names, or, if rows
    /// have a 0 or 1 for each label, the source model's if it has as many, or LABEL_0, LABEL_1, …
    package init(listed dataset: Dataset, knownTo model: [String] = []) throws(DatasetError) {
        let lists = try dataset.labelLists()
        let width = dataset.flagWidth
        if case .columns(let names) = dataset.labelLayout {
            // Reports the row with another value.
            _ = try Self.flags(lists, of: dataset)
            self.init(words: model.count == names.count && Set(model) == Set(names) ? model : names)
        } else if let width {
            self.init(names: model.count == width ? model : (0..<width).map { "LABEL_\($0)" })
        } else {
            try self.init(Set(lists.joined()), of: dataset, atLeast: 1, knownTo: model)
        }
        readsFlags = width != nil
    }

    /// The classes of single words.
    package init(ofWords dataset: Dataset, knownTo model: [String] = []) throws(DatasetError) {
        try self.init(Set(try dataset.wordLabels().joined()), of: dataset, atLeast: 2, knownTo: model)
    }

    private init(_ found: Set<String>, of dataset: Dataset, atLeast least: Int, knownTo model: [String])
        throws(DatasetError)
    {
        guard found.count >= least else {
            throw DatasetError(
                path: dataset.path,
                problem: least == 1
                    ? "no sample has a label: check --label-column"
                    : "every label is \"\(found.first ?? "")\", expected at least 2 classes: check --label-column")
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

    /// The classes of a model that was trained before; if its names are LABEL_0, LABEL_1, … data files may write 0,
    /// 1, … too.
    package init(names: [String]) {
        let isCount = names.indices.allSatisfy { names[$0] == "LABEL_\($0)" }
        self.init(words: isCount ? names.indices.map { String($0) } : names, names: names)
        // Numbers are classes as Transformers counts them, unless the name of a class is a number.
        if isCount { for (index, name) in names.enumerated() { indices[name] = Int32(index) } }
        if !names.contains(where: { Int($0) != nil }) {
            for index in names.indices { indices[String(index)] = Int32(index) }
        }
    }

    private init(words: [String]) { self.init(words: words, names: words) }

    private init(words: [String], names: [String]) {
        self.words = words
        self.names = names
        var indices: [String: Int32] = [:]
        for (index, word) in words.enumerated() { indices[word] = Int32(index) }
        self.indices = indices
    }

    /// The index of the class that a data file writes this way.
    package func index(of word: String) -> Int? { indices[word].map { Int($0) } }

    /// The class of each row.
    package func classes(of dataset: Dataset) throws(DatasetError) -> [Int32] {
        var classes: [Int32] = []
        for (row, label) in try dataset.labelColumn().enumerated() {
            classes.append(try index(of: label, row: row, in: dataset))
        }
        return classes
    }

    /// (rows, count) 1 for each label that a row has, 0 for the others.
    package func flags(of dataset: Dataset) throws(DatasetError) -> [Float] {
        let lists = try dataset.labelLists()
        if case .columns(let columns) = dataset.labelLayout {
            let places = try places(of: columns, in: dataset)
            return try Self.flags(lists, of: dataset).flatMap { row in places.map { row[$0] } }
        }
        if readsFlags ?? (dataset.flagWidth == count) {
            return try Self.flags(lists, of: dataset, count: count).flatMap { $0 }
        }
        var flags = [Float](repeating: 0, count: dataset.count * count)
        for (row, list) in lists.enumerated() {
            if Set(list).count < list.count, list.allSatisfy({ LabelFlag.value(of: $0) != nil }) {
                throw dataset.error(
                    inRow: row,
                    list.count == count
                        ? "the list [\(list.joined(separator: ", "))] reads as a 0 or 1 for each label, other rows do "
                            + "not: write all rows so, or each label once"
                        : "\(list.count) values of 0 and 1, expected \(count): give each row one per label, or the "
                            + "names of its labels"
                )
            }
            for label in known(list, asWritten: dataset.labels?[row]) {
                flags[row * count + Int(try index(of: label, row: row, in: dataset))] = 1
            }
        }
        return flags
    }

    /// A row's labels as these classes have them: the whole text if it is a class, its parts if a file is too small to
    /// show what separates them.
    private func known(_ list: [String], asWritten fields: [String]?) -> [String] {
        guard let text = fields?.first, fields?.count == 1, !list.allSatisfy({ indices[$0] != nil }) else {
            return list
        }
        if indices[text] != nil { return [text] }
        let parts = ["/", "+", "&"].map { Dataset.parts(of: text, $0) }
        return parts.first { $0.allSatisfy { indices[$0] != nil } } ?? list
    }

    /// Which of a file's columns holds each label: by the names, or by their order if the labels have no names of their
    /// own.
    private func places(of columns: [String], in dataset: Dataset) throws(DatasetError) -> [Int] {
        if columns.count == count, names.indices.allSatisfy({ names[$0] == "LABEL_\($0)" }) {
            return Array(columns.indices)
        }
        var places: [Int] = []
        for name in words {
            guard let place = columns.firstIndex(of: name) else {
                throw DatasetError(
                    path: dataset.path,
                    problem:
                        "no column for the label \"\(name)\" among "
                        + "\(columns.map { "\"\($0)\"" }.joined(separator: ", ")): "
                        + "name a column for each of the \(count) labels with --label-column")
            }
            places.append(place)
        }
        return places
    }

    /// Each row's flags, as many as there are labels.
    /// - Parameter count: nil: as many as in the first row.
    private static func flags(_ lists: [[String]], of dataset: Dataset, count: Int? = nil) throws(DatasetError)
        -> [[Float]]
    {
        var all: [[Float]] = []
        let count = count ?? lists.first?.count ?? 0
        for (row, list) in lists.enumerated() {
            guard list.count == count else {
                throw dataset.error(
                    inRow: row,
                    "\(list.count) \(list.count == 1 ? "value" : "values"), expected \(count): give each row a 0 "
                        + "or 1 for each label"
                )
            }
            var flags: [Float] = []
            for value in list {
                guard let flag = LabelFlag.value(of: value) else {
                    throw dataset.error(
                        inRow: row,
                        "found \"\(value)\", expected a 0 or 1 for a label: correct the row, or choose --task "
                            + "regression for numbers"
                    )
                }
                flags.append(flag)
            }
            all.append(flags)
        }
        return all
    }

    /// The class of each row's words.
    package func wordClasses(of dataset: Dataset) throws(DatasetError) -> [[Int32]] {
        var classes: [[Int32]] = []
        for (row, list) in try dataset.wordLabels().enumerated() {
            var own: [Int32] = []
            for label in list { own.append(try index(of: label, row: row, in: dataset)) }
            classes.append(own)
        }
        return classes
    }

    private func index(of label: String, row: Int, in dataset: Dataset) throws(DatasetError) -> Int32 {
        if let index = indices[label] { return index }
        let shown = words.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ") + (words.count > 10 ? ", …" : "")
        throw dataset.error(
            inRow: row,
            "the label \"\(label)\" did not occur in training, expected one of \(shown): fix the row or train "
                + "with it"
        )
    }
}
