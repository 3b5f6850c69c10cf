package import Configuration
package import TextData

/// The task inferred from labels without `--task`, and a note for the user about the choice.
///
/// An ambiguous choice is reported with the option that decides; if two tasks are as likely, it is refused.
package struct TaskChoice: Equatable, Sendable {
    package typealias Task = TrainingConfiguration.TargetTask

    package let task: Task
    package let note: String?

    private init(_ task: Task, _ note: String? = nil) {
        self.task = task
        self.note = note
    }

    /// - Parameter asked: the task from `--task`; nil infers it from the labels.
    package init(_ asked: Task?, of dataset: Dataset) throws {
        if let asked {
            if asked == .multiLabel { try Self.needParts(dataset) }
            self.init(asked, Self.note(on: dataset, asked))
            return
        }
        let labels = dataset.labels ?? []
        let values = Set(labels.joined())
        switch dataset.labelLayout {
        case .words: self.init(.tokenClassification)
        case .columns(let names): self = try Self.columns(names, values, dataset)
        case .lists: self = Self.lists(labels, values, dataset)
        case .single: self = try Self.single(values, dataset)
        }
    }

    private static func note(on dataset: Dataset, _ asked: Task) -> String? {
        switch asked {
        case .regression: return noteOnCommas(dataset)
        case .multiLabel:
            guard dataset.labelLayout == .single else { return nil }
            guard dataset.labelSeparator == Dataset.listSeparator else {
                return "\(name(of: dataset.labelSeparator)) separate the labels of a text"
            }
            let isParted = dataset.labels?.contains { $0[0].contains(Dataset.listSeparator) } ?? false
            return isParted ? nil : "no text has several labels: commas between, or a list, make them several"
        case .classification:
            guard dataset.labelLayout == .single else { return nil }
            return noteOnMissing(Set((dataset.labels ?? []).joined()))
        default: return nil
        }
    }

    private static func name(of separator: Character) -> String {
        switch separator {
        case "|": "vertical bars"
        case ";": "semicolons"
        case "/": "slashes"
        case "+": "plus signs"
        case "&": "ampersands"
        case " ": "spaces"
        default: "commas"
        }
    }

    /// What programs write for a value that is not there.
    private static let missing: Set = [
        "null", "NULL", "nan", "NaN", "NAN", "NA", "N/A", "n/a", "<NA>", "None", "NaT", "nil",
    ]

    private static func noteOnMissing(_ values: Set<String>) -> String? {
        values.filter(missing.contains).min().map {
            "the label \"\($0)\" is taken as a class: take its rows out if it stands for no label"
        }
    }

    /// Numbers with one comma each are two, also where a decimal sign was meant.
    private static func noteOnCommas(_ dataset: Dataset) -> String? {
        guard dataset.labelLayout == .single, let labels = dataset.labels, let first = labels.first?[0] else {
            return nil
        }
        guard labels.allSatisfy({ isDecimal($0[0]) && $0[0].contains(Dataset.listSeparator) }) else { return nil }
        return "labels such as \"\(first)\" are two numbers each; write decimals with a point"
    }

    /// Whether a text may be one number with a decimal comma.
    private static func isDecimal(_ text: String) -> Bool {
        let parts = Dataset.parts(of: text)
        return parts.count <= 2 && parts.allSatisfy { Int($0) != nil }
    }

    private static func columns(_ names: [String], _ values: Set<String>, _ dataset: Dataset) throws(DatasetError)
        -> TaskChoice
    {
        if dataset.flagWidth != nil {
            return TaskChoice(
                .multiLabel,
                "\(names.count) columns of 0 and 1 are \(names.count) labels: --task multi-label; --task regression "
                    + "takes them as numbers"
            )
        }
        guard let other = values.filter({ Float($0) == nil }).min() else {
            let value = values.filter { LabelFlag.value(of: $0) == nil }.min() ?? ""
            return TaskChoice(
                .regression,
                "\(names.count) columns of numbers are targets: --task regression; labels have nothing but 0 and 1 "
                    + "(found \"\(value)\")")
        }
        let row = dataset.labels?.firstIndex { $0.contains(other) }
        throw dataset.error(
            inRow: row,
            "\"\(other)\" is not a number, which several label columns require: 0 and 1 for labels, or the "
                + "numbers of a regression"
        )
    }

    private static func lists(_ labels: [[String]], _ values: Set<String>, _ dataset: Dataset) -> TaskChoice {
        if let width = dataset.flagWidth {
            return TaskChoice(
                .multiLabel,
                "lists of \(width) zeros and ones are \(width) labels: --task multi-label; --task regression takes "
                    + "them as numbers"
            )
        }
        guard values.allSatisfy({ Float($0) != nil }), let width = labels.first?.count else {
            return TaskChoice(.multiLabel)
        }
        guard width > 0, labels.allSatisfy({ $0.count == width }) else {
            return TaskChoice(
                .multiLabel, "lists of numbers of different lengths are the labels that a text has: --task multi-label")
        }
        let isWhole = values.allSatisfy { Int($0) != nil }
        return TaskChoice(
            .regression,
            "lists of \(width) \(width == 1 ? "number" : "numbers") are targets: --task regression"
                + (isWhole ? "; --task multi-label takes them as the labels that a text has" : ""))
    }

    private static func single(_ values: Set<String>, _ dataset: Dataset) throws(DatasetError) -> TaskChoice {
        let present = values.subtracting(missing)
        if present.count < values.count {
            guard present.isEmpty || !present.allSatisfy({ Float($0) != nil }) else {
                let row = dataset.labels?.firstIndex { missing.contains($0[0]) }
                throw dataset.error(
                    inRow: row,
                    "the label is \"\(row.flatMap { dataset.labels?[$0][0] } ?? "")\", the others are numbers: "
                        + "fill it in or take the row out; --task classification takes it as a class")
            }
            let rest = present.isEmpty ? TaskChoice(.classification) : try single(present, dataset)
            let notes = [noteOnMissing(values), rest.note].compactMap { $0 }
            return TaskChoice(rest.task, notes.joined(separator: "; "))
        }
        if values.allSatisfy({ Float($0) != nil && !$0.contains { $0 == "x" || $0 == "X" } }) {
            try needParts(dataset)
            let isWhole = values.allSatisfy { Int($0) != nil }
            guard !isWhole else { return TaskChoice(.classification) }
            let hasFraction = values.contains { Float($0).map { $0 != $0.rounded() } ?? false }
            return TaskChoice(
                .regression,
                hasFraction
                    ? nil
                    : "labels such as \(values.min() ?? "1.0") are numbers: --task regression; write classes without "
                        + "a point"
            )
        }
        if let (text, notation) = NumberNotation.foreign(
            (dataset.labels ?? []).lazy.map { $0[0] }.filter(values.contains))
        {
            guard notation == .unit else {
                throw dataset.error(
                    aboutNumber: text, notation,
                    ways: ", or choose --task classification if each such text is a class")
            }
            return TaskChoice(
                .classification,
                "labels such as \"\(text)\" are classes; write numbers alone if they are meant for a regression")
        }
        try needNumbersThroughout(values, dataset)
        let separator = dataset.labelSeparator
        guard values.contains(where: { $0.contains(separator) }) else {
            return TaskChoice(.classification, noteOnTags(values, dataset) ?? noteOnWord(values, dataset))
        }
        return try parted(values, by: separator, dataset)
    }

    /// The first row with a word where nine in ten rows or more have numbers.
    private static func oddWord(_ values: Set<String>, _ dataset: Dataset) -> Int? {
        let numbers = values.filter { NumberNotation($0) != nil }
        guard !numbers.isEmpty, let labels = dataset.labels else { return nil }
        let others = labels.indices.filter { values.contains(labels[$0][0]) && !numbers.contains(labels[$0][0]) }
        return others.first.flatMap { 10 * others.count <= labels.count ? $0 : nil }
    }

    /// Words with entity tags, a row each, which are texts here.
    private static func noteOnTags(_ values: Set<String>, _ dataset: Dataset) -> String? {
        guard let tag = values.filter({ $0 != "O" }).min(), Dataset.areTags(values),
            dataset.texts.allSatisfy({ !$0.contains(" ") })
        else { return nil }
        return "each row is a text of its own, and tags such as \"\(tag)\" are classes; words of sentences come as "
            + ".conll, without a header and with blank lines between, or as JSON lines of tokens and ner_tags"
    }

    private static func noteOnWord(_ values: Set<String>, _ dataset: Dataset) -> String? {
        oddWord(values, dataset).flatMap { row in
            dataset.labels.map {
                "the label \"\($0[row][0])\" in line \(dataset.position(ofRow: row)) is a class beside numbers"
            }
        }
    }

    /// Refuses a word among fractions: it would make a class of each number.
    private static func needNumbersThroughout(_ values: Set<String>, _ dataset: Dataset) throws(DatasetError) {
        guard let row = oddWord(values, dataset), values.contains(where: { Float($0) != nil && Int($0) == nil }),
            let labels = dataset.labels
        else { return }
        throw dataset.error(
            inRow: row,
            "the label \"\(labels[row][0])\" is not a number, the others are: correct the row or take it out; --task "
                + "classification takes each as a class")
    }

    /// Refuses zeros and ones without anything between.
    private static func needParts(_ dataset: Dataset) throws(DatasetError) {
        guard dataset.labelLayout == .single, let labels = dataset.labels,
            let digits = joinedFlags(Set(labels.lazy.map { $0[0] }.filter { !$0.isEmpty }))
        else { return }
        throw DatasetError(
            path: dataset.path,
            problem: "labels such as \"\(digits)\" look like a 0 or 1 for each of \(digits.count) labels: put "
                + "commas between them, or choose --task classification")
    }

    /// One of the labels if all are zeros and ones without anything between, as many in each, and not whole numbers.
    private static func joinedFlags(_ values: Set<String>) -> String? {
        guard let first = values.min(), first.count > 1, first.hasPrefix("0") else { return nil }
        return values.allSatisfy { $0.count == first.count && $0.allSatisfy { "01".contains($0) } } ? first : nil
    }

    /// Labels some of which have a comma, or another character that separates the labels of a text.
    private static func parted(_ values: Set<String>, by separator: Character, _ dataset: Dataset)
        throws(DatasetError) -> TaskChoice
    {
        let parts = values.map { Dataset.parts(of: $0, separator) }
        let single = Set(parts.joined())
        guard single.allSatisfy({ Float($0) != nil }) else {
            guard Dataset.comeAgain(parts) else {
                return TaskChoice(.classification)
            }
            let shown = single.sorted().prefix(8).joined(separator: ", ") + (single.count > 8 ? ", …" : "")
            return TaskChoice(
                .classification,
                "\(name(of: separator)) separate its labels into \(single.count) (\(shown)): --task multi-label learns "
                    + "each by itself, without it each of the \(values.count) combinations is a class")
        }
        if let width = dataset.flagWidth, width > 2 {
            let numbers = separator == Dataset.listSeparator ? "; --task regression takes them as numbers" : ""
            return TaskChoice(
                .multiLabel, "lists of \(width) zeros and ones are \(width) labels: --task multi-label\(numbers)")
        }
        let example = values.filter { $0.contains(separator) }.min() ?? ""
        guard separator == Dataset.listSeparator else {
            throw DatasetError(
                path: dataset.path,
                problem: "labels such as \"\(example)\" may be several numbers or several labels: write numbers with "
                    + "commas between, or choose --task multi-label, or --task classification if each is a class")
        }
        guard !values.allSatisfy({ [.plain, .decimalComma].contains(NumberNotation($0)) }) else {
            throw DatasetError(
                path: dataset.path,
                problem:
                    "labels such as \"\(example)\" may be numbers with a decimal comma, or several numbers or labels: "
                    + "write decimals with a point, or choose --task regression or --task multi-label")
        }
        guard Set(parts.map(\.count)).count == 1 else {
            return TaskChoice(
                .multiLabel,
                "comma-separated numbers of different counts are the labels that a text has: --task multi-label")
        }
        return TaskChoice(.regression, "\(parts[0].count) numbers per row are targets: --task regression")
    }
}
