internal import BERT
internal import Checkpoints
internal import Configuration
internal import Files
internal import Inputs
internal import Learning
internal import TextData
internal import Wording

/// The data of a run's tasks, together.
struct RunData: Sendable {
    let target: TaskData
    let second: SourceTask?
    let datasets: [Split: TokenizedDataset]
    /// SHA-256 of each data file.
    let digests: [String: String]
    /// SHA-256 of the names of both tasks' labels.
    let labelsDigest: String
    /// By the names of the splits.
    let statistics: [String: DataStatistics]
    /// One line each.
    let descriptions: [String]

    /// - Parameter source: sizes of the source model, which pairs of texts need more of.
    init(_ target: TaskData, _ second: SourceTask?, _ configuration: TrainingConfiguration, source: BERTShape) throws {
        self.target = target
        self.second = second
        datasets = target.datasets.merging(second?.data.datasets ?? [:]) { own, _ in own }
        if datasets.values.contains(where: { $0.types?.contains(1) == true }) {
            try source.checkPairs(model: configuration.model)
        }
        var digests = target.digests.merging(second?.data.digests ?? [:]) { own, _ in own }
        if let file = configuration.addTokens { digests["added words"] = try Digests.file(file) }
        self.digests = digests
        let labels = [target.labels, second?.data.labels]
        labelsDigest = Digests.bytes(Array(labels.flatMap { ($0?.names ?? []) + [""] }.joined(separator: "\0").utf8))
        var (statistics, lines): ([String: DataStatistics], [String]) = ([:], [])
        for split in [Split.train, .validation, .test, .sourceTrain, .sourceValidation] {
            guard let dataset = datasets[split] else { continue }
            let found = DataStatistics(dataset, names: labels[split.stream == .target ? 0 : 1]?.names ?? [])
            statistics[split.rawValue] = found
            lines += found.lines(
                split, file: Self.shortName(of: split, configuration), maxLength: configuration.lengthLimit)
        }
        self.statistics = statistics
        descriptions = lines + [target.finding, second?.data.finding].compactMap { $0 }
    }

    /// The end of a data file's path, for messages.
    private static func shortName(of split: Split, _ configuration: TrainingConfiguration) -> String {
        let data = configuration.data(of: split)
        return DataFiles.shortName(data?.files ?? "") + (data?.isHeldOut == true ? " (held out)" : "")
    }
}

extension TrainingConfiguration {
    /// The files that hold a split, and whether its rows are held out of them; nil if there is no split.
    func data(of split: Split) -> (files: String, isHeldOut: Bool)? {
        switch split {
        case .train: (train, false)
        case .validation: validation.map { ($0, false) } ?? (validationSplit == nil ? nil : (train, true))
        case .test: test.map { ($0, false) }
        case .sourceTrain: sourceTrain.map { ($0, false) }
        case .sourceValidation: sourceValidation.map { ($0, false) }
        }
    }
}

extension TaskData {
    /// The files of the target task.
    init(ofTarget configuration: TrainingConfiguration, _ source: BERTConfiguration, _ tokenizer: WordPieceTokenizer)
        throws
    {
        let files = [
            (Split.train, configuration.train), (.validation, configuration.validation), (.test, configuration.test),
        ]
        .compactMap { split, path in path.map { (split, $0) } }
        var reading = Reading(configuration)
        reading.knownLabels = source.labels
        try self.init(files, task: configuration.task, reading, tokenizer: tokenizer)
    }

    /// A line on the rows that are held out; none if there are none.
    func heldOutNotes(_ configuration: TrainingConfiguration) -> [String] {
        guard let share = configuration.validationSplit else { return [] }
        return [
            "\(configuration.train): \(counted(heldOut.count, "row")) held out for validation, by --validation-split "
                + "\(share) and seed \(configuration.seed)"
        ]
    }
}
