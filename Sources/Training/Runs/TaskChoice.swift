package import TextData

/// The task inferred from labels without `--task`, and a note for the user about the choice.
///
/// An ambiguous choice is reported with the option that decides; if two
/// tasks are as likely, it is refused.
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
            self.init(asked, asked == .regression ? Self.noteOnCommas(dataset) : nil)
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

    /// Numbers with one comma each count as two, even if a decimal comma was meant.
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
                "\(names.count) columns of 0 and 1 are \(names.count) labels: --task multi-label; --task regression takes "
                    + "them as numbers"
            )
        }
        guard let other = values.filter({ Float($0) == nil }).min() else { return TaskChoice(.regression) }
        let row = dataset.labels?.firstIndex { $0.contains(other) }
        throw DatasetError(
            path: dataset.path, line: row.map { dataset.lines[$0] },
            problem:
                "\"\(other)\" is not a number, which several label columns require: 0 and 1 for labels, or the "
                + "numbers of a regression"
        )
    }

    private static func lists(_ labels: [[String]], _ values: Set<String>, _ dataset: Dataset) -> TaskChoice {
        if let width = dataset.flagWidth {
            return TaskChoice(
                .multiLabel,
                "lists of \(width) zeros and ones are \(width) labels: --task multi-label; --task regression takes them as numbers"
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
        if values.allSatisfy({ Float($0) != nil }) {
            let isWhole = values.allSatisfy { Int($0) != nil }
            guard !isWhole else { return TaskChoice(.classification) }
            let hasFraction = values.contains { Float($0).map { $0 != $0.rounded() } ?? false }
            return TaskChoice(
                .regression,
                hasFraction
                    ? nil
                    : "labels such as \(values.min() ?? "1.0") are numbers: --task regression; write classes without a point"
            )
        }
        guard values.contains(where: { $0.contains(Dataset.listSeparator) }) else { return TaskChoice(.classification) }
        return try withCommas(values, dataset)
    }

    /// Labels of which some have commas.
    private static func withCommas(_ values: Set<String>, _ dataset: Dataset) throws(DatasetError) -> TaskChoice {
        let parts = values.map(Dataset.parts)
        let single = Set(parts.joined())
        guard single.allSatisfy({ Float($0) != nil }) else {
            // Labels occur in several combinations, or alone and in one; the parts of a name with a comma in it, such as
            // "Portland, Oregon", do not.
            let count = parts.reduce(0) { $0 + $1.count }
            let alone = Set(parts.filter { $0.count == 1 }.joined())
            let isMixed = parts.contains { $0.count > 1 && !alone.isDisjoint(with: $0) }
            guard isMixed || single.count <= values.count && count > single.count else { return TaskChoice(.classification) }
            let shown = single.sorted().prefix(8).joined(separator: ", ") + (single.count > 8 ? ", …" : "")
            return TaskChoice(
                .classification,
                "commas separate its labels into \(single.count) (\(shown)): --task multi-label learns each by itself, "
                    + "without it each of the \(values.count) combinations is a class")
        }
        if let width = dataset.flagWidth, width > 2 {
            return TaskChoice(
                .multiLabel,
                "lists of \(width) zeros and ones are \(width) labels: --task multi-label; --task regression takes them as numbers"
            )
        }
        let example = values.filter { $0.contains(Dataset.listSeparator) }.min() ?? ""
        guard !values.allSatisfy(isDecimal) else {
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
