package import BERT
internal import CSystem
package import Configuration
internal import Console
internal import Files
package import Foundation
package import Learning
package import TextData
internal import Wording

/// One task's data files, read and tokenized, with their targets.
package struct TaskData: Sendable {
    package typealias Task = TrainingConfiguration.TargetTask

    /// How a task's files are read.
    package struct Reading: Sendable {
        package var columns: ColumnNames
        /// Nil: detected from the files' names and first lines.
        package var format: DataFormat?
        package var maxLength: Int
        package var threads: Int
        package var pooling = Head.Pooling.cls
        /// Determines which words masked-LM hides.
        package var seed: UInt64 = 0
        package var stream = TaskStream.target
        package var wholeWords = false
        /// Classes of the source model, whose order is kept if they are the task's.
        package var knownLabels: [String] = []

        /// Share of the first file's rows to hold out.
        package var validationSplit: Double?

        package init(columns: ColumnNames, maxLength: Int, threads: Int) {
            self.columns = columns
            self.maxLength = maxLength
            self.threads = threads
        }

        package init(_ configuration: TrainingConfiguration) {
            columns = ColumnNames(
                text: configuration.textColumn, pair: configuration.pairColumn, label: configuration.labelColumn)
            format = configuration.inputFormat
            maxLength = configuration.lengthLimit
            threads = configuration.threads
            pooling = configuration.pooling
            seed = configuration.seed
            validationSplit = configuration.validationSplit
            wholeWords = configuration.wholeWordMasking
        }
    }

    package let task: Task
    package let head: Head
    /// Absent for regression and masked-LM.
    package let labels: LabelSet?
    /// The columns of the training data.
    package let columns: ColumnNames
    package private(set) var datasets: [Split: TokenizedDataset] = [:]
    /// SHA-256 of each file.
    package private(set) var digests: [String: String] = [:]
    /// Notes for the user about how files and labels were read, one line each.
    package private(set) var notes: [String] = []
    /// What is worth a look in the data, in one line; nil if nothing is.
    package let finding: String?
    /// First lines, in the training files, of the rows held out for validation.
    package private(set) var heldOut: [String] = []

    /// - Parameters:
    ///   - files: the first one determines the labels.
    ///   - asked: nil infers the task from the labels.
    package init(_ files: [(Split, String)], task asked: Task?, _ reading: Reading, tokenizer: WordPieceTokenizer)
        throws
    {
        var raw: [(Split, Dataset)] = []
        for (split, path) in files {
            let rows = try Activity.during("reading \(DataFiles.lastName(path))") { _ in
                try Self.read(path, asked, reading.columns, reading.format, part: split.part)
            }
            notes += rows.notes.map { "\(path): \($0)" }
            raw.append((split, rows))
            digests.merge(try DataDigests.of(path, split)) { own, _ in own }
        }
        precondition(!raw.isEmpty, "a task has training data")
        if let held = try Self.holdOut(&raw, asked, reading) {
            heldOut = held
            digests[Split.validation.rawValue] = Digests.bytes(
                Array(heldOut.joined(separator: " ").utf8))
        }
        let choice = try TaskChoice(asked, of: raw[0].1)
        if let note = choice.note { notes.append("\(raw[0].1.path): \(note)") }
        task = choice.task
        columns = raw[0].1.columns
        (head, labels) = try Self.head(task, raw[0].1, reading)
        finding = DataReview(raw, task).brief
        raw.reverse()
        // Texts are given up as soon as their tokens are there.
        while let (split, rows) = raw.popLast() {
            let name = DataFiles.lastName(rows.path)
            let dataset = try Activity.during("tokenizing \(name)", of: rows.count) { activity in
                try Self.tokenize(rows, task, head, labels, reading, tokenizer) { activity.advance(by: $0) }
            }
            if let note = Self.noteOnTextsLeftOut(rows, dataset) { notes.append(note) }
            datasets[split] = dataset
        }
        // The heap keeps freed texts, each too small for pages of its own, and training would come on top of them.
        malloc_trim(0)
    }

    /// Moves the rows to hold out, if that is requested, from the training data to validation data of their own.
    /// - Returns: their lines.
    private static func holdOut(_ raw: inout [(Split, Dataset)], _ asked: Task?, _ reading: Reading) throws -> [String]?
    {
        guard let share = reading.validationSplit else { return nil }
        let rows = raw[0].1
        let task = try TaskChoice(asked, of: rows).task
        let split = HeldOutRows(rows, share: share, seed: reading.seed, stratified: task == .classification)
        guard !split.validation.isEmpty, !split.training.isEmpty else {
            throw InputError(
                "\(rows.path): --validation-split \(share) of \(counted(rows.count, "row")) leaves none on one side: "
                    + "choose another share, or name a file with --validation")
        }
        let held = rows.rows(split.validation)
        raw[0].1 = rows.rows(split.training)
        raw.insert((.validation, held), at: 1)
        return (0..<held.count).map(held.position)
    }

    /// Names of the outputs: the classes, or the columns of the numbers if each has one.
    package var outputNames: [String]? {
        if let labels { return labels.names }
        guard case .regression(let targets, _) = head, let label = columns.label else { return nil }
        let names = targets == 1 ? [label] : label.split(separator: ",").map(String.init)
        return names.count == targets ? names : nil
    }

    /// Reads a file as a task needs it.
    package static func read(
        _ path: String, _ task: Task?, _ columns: ColumnNames, _ format: DataFormat?, part: DataFolder.Part = .test
    ) throws(DatasetError) -> Dataset {
        try Dataset(
            path: path, part: part, format: format, columns: columns, labels: need(of: task),
            allowsPlainText: task == .maskedLM)
    }

    /// The same of what comes through a stream.
    package static func read(
        _ stream: FileHandle, named name: String, _ task: Task, _ columns: ColumnNames, _ format: DataFormat?
    ) throws(DatasetError) -> Dataset {
        try Dataset(
            stream: stream, name: name, format: format, columns: columns, labels: need(of: task),
            allowsPlainText: task == .maskedLM)
    }

    private static func need(of task: Task?) -> LabelNeed {
        switch task {
        case .maskedLM?: .unwanted
        case .multiLabel?: .requiredPerhapsEmpty
        default: .required
        }
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

    /// A line on texts that a masked-LM task omits; nil if there are none.
    package static func noteOnTextsLeftOut(_ rows: Dataset, _ dataset: TokenizedDataset) -> String? {
        guard dataset.count < rows.count else { return nil }
        return
            "\(rows.path): \(rows.count - dataset.count) of \(rows.count) texts have no word that can be hidden and "
            + "are left out"
    }

    /// One file's rows with their targets, for a known head.
    package static func tokenize(
        _ rows: Dataset, _ task: Task, _ head: Head, _ labels: LabelSet?, _ reading: Reading,
        _ tokenizer: WordPieceTokenizer,
        progress: @Sendable (_ rows: Int) -> Void = { _ in }
    ) throws -> TokenizedDataset {
        let answers: SampleLabels
        switch (task, labels) {
        case (.tokenClassification, let labels?):
            return TokenizedDataset(
                words: rows.words ?? [], tokenizer: tokenizer, maxLength: reading.maxLength,
                wordClasses: try labels.wordClasses(of: rows),
                threads: reading.threads, progress: progress)
        case (.classification, let labels?): answers = .classes(try labels.classes(of: rows))
        case (.multiLabel, let labels?): answers = .values(try labels.flags(of: rows), width: labels.count)
        case (.maskedLM, _):
            guard
                let masking = WordMasking(
                    tokenizer.vocabulary, seed: reading.seed, stream: UInt32(reading.stream.rawValue),
                    wholeWords: reading.wholeWords)
            else { throw InputError("the vocabulary has no [MASK], which masked-lm needs: choose another model") }
            var dataset = TokenizedDataset(
                rows, tokenizer: tokenizer, maxLength: reading.maxLength, labels: .masked(masking),
                threads: reading.threads)
            dataset.removeSamplesWithoutHiddenTokens()
            guard dataset.count > 0 else {
                throw InputError(
                    "\(rows.path): no text has a word of the vocabulary, so masked-lm has nothing to hide: is it the "
                        + "data of this model?"
                )
            }
            return dataset
        default:
            let (values, width) = try rows.targets()
            guard case .regression(width, _) = head else {
                throw InputError(
                    "\(rows.path): \(width) \(width == 1 ? "number" : "numbers") per row, the model answers "
                        + "\(head.described(labels?.names)): check --label-column"
                )
            }
            answers = .values(values, width: width)
        }
        return TokenizedDataset(
            rows, tokenizer: tokenizer, maxLength: reading.maxLength, labels: answers, threads: reading.threads,
            progress: progress)
    }
}

extension TaskData.Task {
    /// The task that a head was trained for.
    package init(_ head: Head) {
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
    /// The head's answers, for a message.
    /// - Parameter names: of its outputs.
    package func described(_ names: [String]?) -> String {
        func listed(_ names: [String]) -> String {
            "(\(names.prefix(8).joined(separator: ", "))\(names.count > 8 ? ", …" : ""))"
        }
        func named(_ what: String) -> String { names.map { "\($0.count) \(what) \(listed($0))" } ?? what }
        switch self {
        case .classification: return named("classes")
        case .multiLabel: return named("labels")
        case .tokenClassification: return named("classes of words")
        case .regression(let targets, _):
            return (targets == 1 ? "one number" : "\(targets) numbers") + (names.map { " " + listed($0) } ?? "")
        case .maskedLanguageModel: return "hidden words"
        }
    }
}
