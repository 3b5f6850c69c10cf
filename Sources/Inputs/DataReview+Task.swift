package import Configuration
internal import Learning
package import TextData

extension DataReview {
    /// Of a task's splits as read; the first one is for training.
    init(_ raw: [(Split, Dataset)], _ task: TrainingConfiguration.TargetTask) {
        let parts = raw.map { Part($0.0.rawValue, $0.1, task) }
        self.init(
            training: parts.first, others: Array(parts.dropFirst()), namesRareClasses: task != .tokenClassification)
    }
}

extension DataReview.Part {
    /// - Parameter task: nil: the rows have no labels.
    package init(_ name: String, _ rows: Dataset, _ task: TrainingConfiguration.TargetTask?) {
        self.init(name: name, rows: rows, labels: task.flatMap { Self.labels(rows, $0) })
    }

    private static func labels(_ rows: Dataset, _ task: TrainingConfiguration.TargetTask) -> [[String]]? {
        switch task {
        case .classification, .tokenClassification: return rows.labels
        case .regression, .maskedLM: return nil
        case .multiLabel:
            guard let lists = try? rows.labelLists() else { return nil }
            if case .columns(let names) = rows.labelLayout { return lists.map { Self.set($0, names) } }
            guard let width = rows.flagWidth else { return lists }
            return lists.map { Self.set($0, (0..<width).map { "LABEL_\($0)" }) }
        }
    }

    /// The names of the flags that are set.
    private static func set(_ flags: [String], _ names: [String]) -> [String] {
        zip(flags, names).filter { Double($0.0).map { $0 != 0 } ?? ($0.0.lowercased() == "true") }.map(\.1)
    }
}
