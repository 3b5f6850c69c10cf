package import BERT
internal import Checkpoints
package import TextData

/// One task's data files, read and tokenized, with what they are to teach.
package struct TaskData: Sendable {
    package typealias Task = TrainingConfiguration.TargetTask

    /// How a task's files are read.
    package struct Reading: Sendable {
        package var columns: ColumnNames
        package var maxLength: Int
        package var threads: Int
        package var pooling = Head.Pooling.cls
        /// Decides which words masked-LM hides.
        package var seed: UInt64 = 0
        package var stream = TaskStream.target
        package var wholeWords = false
        /// Classes of the source model, whose order is kept where they are the task's.
        package var knownLabels: [String] = []

        package init(columns: ColumnNames, maxLength: Int, threads: Int) {
            self.columns = columns
            self.maxLength = maxLength
            self.threads = threads
        }

        package init(_ configuration: TrainingConfiguration) {
            columns = ColumnNames(text: configuration.textColumn, pair: configuration.pairColumn, label: configuration.labelColumn)
            maxLength = configuration.maxLength
            threads = configuration.threads
            pooling = configuration.pooling
            seed = configuration.seed
            wholeWords = configuration.wholeWordMasking
        }
    }

    package let task: Task
    package let head: Head
    /// Absent for regression and masked-LM.
    package let labels: LabelSet?
    package private(set) var datasets: [Split: TokenizedDataset] = [:]
    /// SHA-256 of each file.
    package private(set) var digests: [String: String] = [:]

    /// - Parameters:
    ///   - files: the first one decides the labels.
    ///   - asked: nil leaves the choice to the labels.
    package init(_ files: [(Split, String)], task asked: Task?, _ reading: Reading, tokenizer: WordPieceTokenizer) throws {
        var raw: [(Split, Dataset)] = []
        for (split, path) in files {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            raw.append((split, try Activity.during("reading \(name)") { _ in try Self.read(path, asked, reading.columns) }))
            digests[split.rawValue] = try Digests.file(path)
        }
        guard let train = raw.first?.1 else { preconditionFailure("a task has training data") }
        let task = try asked ?? Self.task(of: train)
        self.task = task
        (head, labels) = try Self.head(task, train, reading)
        for (split, rows) in raw {
            let name = rows.path.split(separator: "/").last.map(String.init) ?? rows.path
            datasets[split] = try Activity.during("tokenizing \(name)", of: rows.count) { activity in
                try Self.tokenize(rows, task, head, labels, reading, tokenizer) { activity.advance(by: $0) }
            }
        }
    }

    /// Reads a file as a task needs it.
    package static func read(_ path: String, _ task: Task?, _ columns: ColumnNames) throws(DatasetError) -> Dataset {
        let need: LabelNeed =
            switch task {
            case .maskedLM?: .unwanted
            case .multiLabel?: .requiredPerhapsEmpty
            default: .required
            }
        return try Dataset(path: path, columns: columns, labels: need, allowsPlainText: task == .maskedLM)
    }

    /// Lists of words are labels, numbers with a fraction are regression targets, everything else is a class.
    private static func task(of dataset: Dataset) throws -> Task {
        if dataset.words != nil { return .tokenClassification }
        let labels = dataset.labels ?? []
        let areNumbers = labels.joined().allSatisfy { Float($0) != nil }
        if dataset.hasLists, areNumbers {
            throw InputError("\(dataset.path): lists of numbers may be labels or targets: say --task multi-label or --task regression")
        }
        if dataset.hasLists { return .multiLabel }
        if labels.contains(where: { $0.count > 1 }) { return .regression }
        return areNumbers && labels.joined().contains { Int($0) == nil } ? .regression : .classification
    }

    private static func head(_ task: Task, _ train: Dataset, _ reading: Reading) throws -> (Head, LabelSet?) {
        let (pooling, known) = (reading.pooling, reading.knownLabels)
        switch task {
        case .classification:
            let labels = try LabelSet(training: train, knownTo: known)
            return (.classification(labels: labels.count, pooling: pooling), labels)
        case .multiLabel:
            let labels = try LabelSet(listed: train, knownTo: known)
            return (.multiLabel(labels: labels.count, pooling: pooling), labels)
        case .tokenClassification:
            let labels = try LabelSet(ofWords: train, knownTo: known)
            return (.tokenClassification(labels: labels.count), labels)
        case .regression: return (.regression(targets: try train.targets().width, pooling: pooling), nil)
        case .maskedLM: return (.maskedLanguageModel, nil)
        }
    }

    /// One file's rows with what is to be learned of them, for a head that is known.
    package static func tokenize(
        _ rows: Dataset, _ task: Task, _ head: Head, _ labels: LabelSet?, _ reading: Reading, _ tokenizer: WordPieceTokenizer,
        progress: @Sendable (_ rows: Int) -> Void = { _ in }
    ) throws -> TokenizedDataset {
        let answers: SampleLabels
        switch (task, labels) {
        case (.tokenClassification, let labels?):
            return TokenizedDataset(
                words: rows.words ?? [], tokenizer: tokenizer, maxLength: reading.maxLength, wordClasses: try labels.wordClasses(of: rows),
                threads: reading.threads, progress: progress)
        case (.classification, let labels?): answers = .classes(try labels.classes(of: rows))
        case (.multiLabel, let labels?): answers = .values(try labels.flags(of: rows), width: labels.count)
        case (.maskedLM, _):
            guard
                let masking = WordMasking(
                    tokenizer.vocabulary, seed: reading.seed, stream: UInt32(reading.stream.rawValue), wholeWords: reading.wholeWords)
            else { throw InputError("the vocabulary has no [MASK], which masked-lm needs: choose another model") }
            answers = .masked(masking)
        default:
            let (values, width) = try rows.targets()
            guard case .regression(width, _) = head else {
                throw InputError(
                    "\(rows.path): \(width) \(width == 1 ? "number" : "numbers") a row, the model answers \(head.described(labels)): check --label-column")
            }
            answers = .values(values, width: width)
        }
        return TokenizedDataset(rows, tokenizer: tokenizer, maxLength: reading.maxLength, labels: answers, threads: reading.threads, progress: progress)
    }
}

extension TaskData.Task {
    /// The task that a head was trained for.
    init(_ head: Head) {
        switch head {
        case .classification: self = .classification
        case .regression: self = .regression
        case .multiLabel: self = .multiLabel
        case .tokenClassification: self = .tokenClassification
        case .maskedLanguageModel: self = .maskedLM
        }
    }
}

extension Head {
    /// What the head answers, for a line to the user.
    func described(_ labels: LabelSet?) -> String {
        func named(_ what: String) -> String {
            guard let labels else { return what }
            return "\(labels.count) \(what) (\(labels.names.prefix(8).joined(separator: ", "))\(labels.count > 8 ? ", …" : ""))"
        }
        switch self {
        case .classification: return named("classes")
        case .multiLabel: return named("labels")
        case .tokenClassification: return named("classes of words")
        case .regression(let targets, _): return targets == 1 ? "one number" : "\(targets) numbers"
        case .maskedLanguageModel: return "hidden words"
        }
    }
}
