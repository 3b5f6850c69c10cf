package import BERT
package import Checkpoints
internal import Foundation
package import Tensors
package import TextData

/// Model and data of a run, read, checked and tokenized; nothing has been written yet.
package struct RunInputs: Sendable {
    /// With `lanes` and `task` decided.
    package let configuration: TrainingConfiguration
    package let source: BERTConfiguration
    /// The source model's config.json.
    package let sourceJSON: JSONValue
    /// What tokenizer_config.json of the trained model has to say.
    package let tokenizerSettings: JSONValue
    package let model: BERTModel
    package let parameters: FloatBuffer
    package let datasets: [Split: TokenizedDataset]
    /// Words that the tokenizer learned.
    package let words: [AddedWords.Word]
    /// Absent for regression.
    package let labels: LabelSet?
    package let plan: TrainingPlan
    package let schedule: LearningRateSchedule
    package let optimizer: OptimizerSettings
    /// SHA-256 of each data file.
    package let digests: [String: String]
    /// What the user should know before the first step, a line each.
    package let notes: [String]

    /// - Parameter cores: of this machine, or of the whole cluster file.
    package init(_ given: TrainingConfiguration, cores: Int) throws {
        var configuration = given
        var notes: [String] = []
        sourceJSON = try ModelFolder.configuration(configuration.model)
        source = try BERTConfiguration(sourceJSON, path: configuration.model + "/config.json")
        let folder = try ModelFolder(configuration.model)
        let input = try InputLayer(configuration, source: source.shape)
        let tokenizer = input.tokenizer
        words = input.words?.words ?? []
        notes += input.notes
        guard tokenizer.vocabulary.count == input.shape.vocabulary else {
            throw InputError(
                "\(configuration.model): the vocabulary has \(tokenizer.vocabulary.count - words.count) pieces, config.json says \(source.shape.vocabulary): "
                    + "is this the vocabulary of this model?")
        }
        tokenizerSettings = Self.settings(of: tokenizer)
        let columns = ColumnNames(text: configuration.textColumn, pair: configuration.pairColumn, label: configuration.labelColumn)
        let files = [(Split.train, configuration.train), (.validation, configuration.validation), (.test, configuration.test)]
            .compactMap { split, path in path.map { (split, $0) } }
        var raw: [Split: Dataset] = [:]
        var digests: [String: String] = [:]
        for (split, path) in files {
            raw[split] = try Dataset(path: path, columns: columns, labels: .required)
            if raw[split]?.pairs != nil { try source.shape.checkPairs(model: configuration.model) }
            digests[split.rawValue] = try Digests.file(path)
        }
        if let file = configuration.addTokens { digests["added words"] = try Digests.file(file) }
        self.digests = digests
        guard let train = raw[.train] else { preconditionFailure("a run has training data") }
        let task = configuration.task ?? Self.task(of: train)
        guard task != .maskedLM else { throw InputError("--task masked-lm is not supported yet: choose classification or regression") }
        configuration.task = task
        labels = task == .classification ? try LabelSet(training: train, knownTo: source.labels) : nil
        var datasets: [Split: TokenizedDataset] = [:]
        for (split, _) in files {
            guard let rows = raw[split] else { continue }
            let answers: SampleLabels = if let labels { .classes(try labels.classes(of: rows)) } else { .targets(try rows.targets()) }
            let tokenized = TokenizedDataset(
                rows, tokenizer: tokenizer, maxLength: configuration.maxLength, labels: answers, threads: configuration.threads)
            datasets[split] = tokenized
            notes.append(Self.describe(split, tokenized, maxLength: configuration.maxLength))
        }
        self.datasets = datasets
        let shape = configuration.dropout.map(input.shape.dropout) ?? input.shape
        var adapters = try configuration.adapters
        adapters?.trainsPooler = folder.tensor("bert.pooler.dense.weight") == nil && folder.tensor("pooler.dense.weight") == nil
        let frozen = try FrozenParameters(configuration.freeze, lora: adapters)
        let head: Head = labels.map { .classification(labels: $0.count) } ?? .regression
        try configuration.metric?.check(head)
        let whole = BERTModel(shape: shape, head: head, lora: adapters, isFrozen: frozen.contains)
        try frozen.check(whole)
        model = try Self.begin(whole, configuration, frozen)
        let keepsHead = Self.keepsHead(source, labels)
        let loaded = try model.load(
            folder, keepsHead: keepsHead, seed: configuration.seed, forgetting: Self.forgotten(model, configuration), growing: true)
        parameters = loaded.parameters
        if !configuration.fromScratch { input.begin(model, parameters, source: source.shape) }
        notes += Self.describe(loaded, labels)
        let lanes = configuration.laneCount(cores: cores)
        configuration.lanes = lanes
        plan = TrainingPlan(
            seed: configuration.seed, batchSize: configuration.batchSize, accumulate: configuration.accumulate, laneCount: lanes,
            epochs: configuration.epochs, maxSteps: configuration.maxSteps, lengths: datasets[.train]?.lengths ?? [])
        schedule = LearningRateSchedule(
            shape: configuration.schedule, peak: configuration.learningRate, warmupSteps: configuration.warmupSteps, totalSteps: plan.totalSteps)
        optimizer = OptimizerSettings(
            kind: configuration.optimizer, weightDecay: configuration.weightDecay, maxGradientNorm: configuration.maxGradNorm,
            factors: configuration.learningRateFactors(layers: shape.layers),
            beginnings: configuration.beginnings(layers: shape.layers, stepsPerEpoch: plan.stepsPerEpoch))
        self.configuration = configuration
        self.notes = notes
    }

    /// Numbers with a fraction are regression targets, everything else is a class.
    private static func task(of dataset: Dataset) -> TrainingConfiguration.TargetTask {
        let labels = dataset.labels ?? []
        return labels.allSatisfy { Float($0) != nil } && labels.contains { Int($0) == nil } ? .regression : .classification
    }

    private static func settings(of tokenizer: WordPieceTokenizer) -> JSONValue {
        let (options, vocabulary) = (tokenizer.options, tokenizer.vocabulary)
        let specials = vocabulary.specials
        var members: [JSONValue.Member] = [
            .init("tokenizer_class", .string("BertTokenizer")), .init("do_lower_case", .bool(options.lowercase)),
            .init("strip_accents", options.stripAccents.map { .bool($0) } ?? .null),
            .init("tokenize_chinese_chars", .bool(options.tokenizeChineseCharacters)),
        ]
        let tokens = [
            ("unk_token", specials.unknown), ("sep_token", specials.separator), ("pad_token", specials.padding),
            ("cls_token", specials.classification), ("mask_token", specials.mask),
        ]
        for case (let key, let id?) in tokens { members.append(.init(key, .string(vocabulary.pieces[Int(id)]))) }
        return .object(members)
    }

    /// Whether the source's head answers the target's question: the same classes in the same order, or both one number.
    private static func keepsHead(_ source: BERTConfiguration, _ labels: LabelSet?) -> Bool {
        guard source.architectures.contains(where: { $0.hasSuffix("ForSequenceClassification") }) else { return false }
        return labels.map { $0.names == source.labels } ?? (source.labels.count == 1)
    }

    private static func describe(_ split: Split, _ dataset: TokenizedDataset, maxLength: Int) -> String {
        var line = "\(split.rawValue): \(dataset.count) samples, \(decimal(dataset.meanLength, 1)) pieces on average, longest \(dataset.longest)"
        if dataset.truncatedCount > 0 { line += "; \(dataset.truncatedCount) were longer than --max-length \(maxLength) and are truncated" }
        return line
    }

    private static func describe(_ loaded: LoadedWeights, _ labels: LabelSet?) -> [String] {
        var lines: [String] = []
        if !loaded.initialized.isEmpty {
            let head = labels.map { "\($0.count) classes (\($0.names.prefix(8).joined(separator: ", "))\($0.count > 8 ? ", …" : ""))" } ?? "one number"
            lines.append("newly initialized for \(head): \(loaded.initialized.joined(separator: ", "))")
        }
        if !loaded.unexpected.isEmpty {
            let shown = loaded.unexpected.prefix(6).joined(separator: ", ")
            lines.append("not used of the source model: \(shown)\(loaded.unexpected.count > 6 ? " and \(loaded.unexpected.count - 6) more" : "")")
        }
        return lines
    }

    /// Samples of all data files that were cut to --max-length.
    package var truncatedCount: Int { datasets.values.reduce(0) { $0 + $1.truncatedCount } }

    /// Bytes of one checkpoint: weights and two moments.
    package var checkpointBytes: Int { (model.layout.count + 2 * model.layout.stateCount) * MemoryLayout<Float>.stride }
}

/// Input that no run can start with, found before any work.
package struct InputError: BadInput, Equatable, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension FileError: BadInput {}

extension BERTShape {
    /// Refuses pairs of texts where the model cannot tell the second one from the first.
    func checkPairs(model: String) throws(InputError) {
        guard types < 2 else { return }
        throw InputError("\(model): has \(types) token type, pairs of texts need 2: choose another model, or name a single --text-column")
    }
}
