package import BERT
package import Checkpoints
package import Configuration
package import Files
internal import Foundation
internal import Inputs
internal import Kernels
package import Learning
internal import Processes
package import Tensors
package import TextData
internal import Wording

/// Model and data of a run, read, checked and tokenized; nothing has been written yet.
package struct RunInputs: Sendable {
    /// With `lanes` and `task` decided.
    package let configuration: TrainingConfiguration
    package let source: BERTConfiguration
    /// The source model's config.json.
    package let sourceJSON: JSONValue
    /// The required contents of the trained model's tokenizer_config.json.
    package let tokenizerSettings: JSONValue
    package let model: BERTModel
    /// Elements of either moment when everything is trained that is not permanently frozen.
    private let mostTrained: Int
    package let parameters: FloatBuffer
    package let datasets: [Split: TokenizedDataset]
    /// By the names of the splits.
    package let statistics: [String: DataStatistics]
    /// Words added to the tokenizer.
    package let words: [AddedWords.Word]
    /// All that the tokenizer adds to its vocabulary.
    package let addedTokens: [ModelExport.AddedToken]
    /// Absent for regression and masked-LM.
    package let labels: LabelSet?
    /// Names of the head's outputs; nil if they have none.
    package let outputNames: [String]?
    /// The columns of the training data.
    package let columns: ColumnNames
    package let plan: TrainingPlan
    /// What decides which model is the best; nil: accuracy, or the loss if there is no accuracy. Tagged entities have
    /// F1.
    package let metric: Measure?
    package let schedule: LearningRateSchedule
    package let optimizer: OptimizerSettings
    /// Patterns of parameters that are never trained, as for `--freeze`: the requested ones, and those of only the
    /// target task if that has no weight.
    package let freeze: [String]
    /// First lines, in the training files, of the rows held out for validation.
    package let heldOut: [String]
    /// SHA-256 of each data file.
    package let digests: [String: String]
    /// SHA-256 of each file of the source model's folder.
    package let modelDigests: [String: String]
    /// SHA-256 of the names of both tasks' labels.
    package let labelsDigest: String
    /// Notes for the user before the first step, one line each.
    package let notes: [String]
    /// Descriptions of the data, one line each.
    package let dataNotes: [String]
    /// Notes only for a run that begins at its first step, one line each.
    package let beginningNotes: [String]
    /// Parameters that are initialized at random.
    package let initialized: [String]

    package init(_ given: TrainingConfiguration) throws {
        var configuration = given
        var (notes, dataNotes): ([String], [String]) = ([], [])
        try ModelPath.check(configuration.model)
        sourceJSON = try ModelFolder.configuration(configuration.model)
        source = try BERTConfiguration(sourceJSON, path: configuration.model + "/config.json")
        let folder = try ModelFolder(configuration.model)
        let digesting = BackgroundWork { try folder.digests() }
        let input = try InputLayer(configuration, source: source.shape)
        configuration.maxLength = input.maxLength
        let tokenizer = input.tokenizer
        words = input.words?.words ?? []
        notes += input.notes
        tokenizerSettings = Self.settings(of: tokenizer)
        addedTokens = tokenizer.addedTokens.map { .init($0.text, id: $0.id, isNormalized: $0.isNormalized) }
        if !words.isEmpty {
            // Before any work, not at the first export.
            try ModelExport.check(
                tokenizerFolder: configuration.model, tokenizerSettings: tokenizerSettings,
                words: words.map { ($0.text, Int($0.id)) },
                among: addedTokens)
        }
        let files = [
            (Split.train, configuration.train), (.validation, configuration.validation), (.test, configuration.test),
        ]
        .compactMap { split, path in path.map { (split, $0) } }
        var reading = TaskData.Reading(configuration)
        reading.knownLabels = self.source.labels
        let data = try TaskData(files, task: configuration.task, reading, tokenizer: tokenizer)
        configuration.task = data.task
        notes += try data.doubts(given)
        heldOut = data.heldOut
        if let share = configuration.validationSplit {
            notes.append(
                "\(configuration.train): \(counted(heldOut.count, "row")) held out for validation, by "
                    + "--validation-split \(share) "
                    + "and seed \(configuration.seed)")
        }
        try configuration.validate(findsTask: given.task == nil)
        labels = data.labels
        notes += data.notes
        outputNames = data.outputNames
        columns = data.columns
        let source = try Self.sourceData(configuration, tokenizer, layers: self.source.shape.layers)
        notes += source?.data.notes ?? []
        datasets = data.datasets.merging(source?.data.datasets ?? [:]) { own, _ in own }
        var digests = data.digests.merging(source?.data.digests ?? [:]) { own, _ in own }
        if datasets.values.contains(where: { $0.types != nil }) {
            try self.source.shape.checkPairs(model: configuration.model)
        }
        var statistics: [String: DataStatistics] = [:]
        for split in [Split.train, .validation, .test, .sourceTrain, .sourceValidation] {
            guard let dataset = datasets[split] else { continue }
            let found = DataStatistics(
                dataset, names: (split.stream == .target ? labels : source?.data.labels)?.names ?? [])
            statistics[split.rawValue] = found
            dataNotes += found.lines(
                split, file: Self.shortName(of: split, configuration), maxLength: configuration.lengthLimit)
        }
        dataNotes += [data.finding, source?.data.finding].compactMap { $0 }
        self.statistics = statistics
        if let file = configuration.addTokens { digests["added words"] = try Digests.file(file) }
        self.digests = digests
        labelsDigest = Digests.bytes(
            Array([labels, source?.data.labels].flatMap { ($0?.names ?? []) + [""] }.joined(separator: "\0").utf8))
        let shape = configuration.dropout.map(input.shape.dropout) ?? input.shape
        let lanes = configuration.laneCount
        configuration.lanes = lanes
        let loss = LossOptions(
            labelSmoothing: configuration.labelSmoothing,
            classWeights: try ClassWeights.values(configuration.classWeights, labels, datasets[.train]?.labels ?? .none)
        )
        var plan = TrainingPlan(
            seed: configuration.seed, batchSize: configuration.batchSize, accumulate: configuration.accumulate,
            laneCount: lanes,
            epochs: configuration.epochs, maxSteps: configuration.maxSteps, lengths: datasets[.train]?.lengths ?? [],
            weights: datasets[.train].map { SampleWeights($0, loss) } ?? .same(1))
        if let samples = datasets[.sourceTrain] {
            plan.source = Self.sourcePlan(configuration, samples, totalSteps: plan.totalSteps)
        }
        self.plan = plan
        notes += Self.doubts(configuration, plan)
        var freeze = configuration.freeze
        if plan.source?.lambda.isZero == true, let source {
            freeze += source.head.targetOnly(data.head, layers: shape.layers).filter { !freeze.contains($0) }
        }
        self.freeze = freeze
        var adapters = try configuration.adapters
        adapters?.trainsPooler =
            folder.tensor("bert.pooler.dense.weight") == nil && folder.tensor("pooler.dense.weight") == nil
        let (whole, frozen) = try Self.wholeModel(
            configuration, shape: shape, head: data.head, source: source?.head, loss: loss, freeze: freeze,
            adapters: adapters)
        model = try Self.begin(whole, configuration, frozen, freeze)
        let keepsHead =
            self.source.heads(in: folder).contains(data.head)
            && Self.outputs(data.head, outputNames, areThoseOf: self.source)
        let loaded = try model.load(
            folder, keepsHead: keepsHead, seed: configuration.seed, forgetting: Self.forgotten(model, configuration),
            growing: true,
            forTrainingOf: whole.layout)
        if adapters == nil { try Self.needKnownValues(configuration, whole, initialized: loaded.initialized) }
        let hasEntities = data.task == .tokenClassification && EntityScores.areTags(labels?.names ?? [])
        metric = configuration.metric ?? (hasEntities ? .entityF1 : nil)
        mostTrained = whole.layout.stateCount
        parameters = loaded.parameters
        if !configuration.fromScratch { input.begin(model, parameters, source: self.source.shape) }
        initialized = loaded.initialized.filter { !BERTModel.isSourceHead($0) }
        beginningNotes = Self.describe(loaded, initialized, data.head.described(outputNames), model)
        if datasets[.validation] == nil {
            notes.append(
                "not scored during training, and the last weights are the result: --validation FILE changes that")
        }
        if let source {
            notes.append(
                "source task: \(source.data.head.described(source.data.outputNames)), on the lower "
                    + "\(source.head.sharedLayers) of \(shape.layers) layers, "
                    + "in batches of \(counted(plan.source?.batchSize ?? 0, "sample"))")
        }
        schedule = LearningRateSchedule(
            shape: configuration.schedule, peak: configuration.learningRate,
            warmupSteps: configuration.warmupSteps.count(of: plan.totalSteps), totalSteps: plan.totalSteps)
        optimizer = OptimizerSettings(
            kind: configuration.optimizer, weightDecay: configuration.weightDecay,
            maxGradientNorm: configuration.maxGradNorm,
            factors: configuration.learningRateFactors(layers: shape.layers),
            beginnings: configuration.beginnings(layers: shape.layers, stepsPerEpoch: plan.stepsPerEpoch))
        if let note = Self.describeFeatures(model, datasets) { notes.append(note) }
        modelDigests = try digesting.value()
        self.configuration = configuration
        self.notes = notes
        self.dataNotes = dataNotes
        let size = exportedConfiguration.text.utf8.count
        guard size <= ModelFolder.longestJSON else {
            throw InputError(
                "the labels make the model's config.json \(size >> 20) MiB long, at most "
                    + "\(ModelFolder.longestJSON >> 20) MiB are read: "
                    + "is --label-column the column of the labels?")
        }
    }

    /// Whether the outputs of a head have the same meaning and order as the source model's.
    private static func outputs(_ head: Head, _ names: [String]?, areThoseOf source: BERTConfiguration) -> Bool {
        guard case .regression(let targets, _) = head else {
            return names == nil || names == source.labels(count: names?.count ?? 0)
        }
        return targets == 1 || names == nil || !source.namesOutputs || names == source.labels
    }

    /// The end of a data file's path, for messages.
    private static func shortName(of split: Split, _ configuration: TrainingConfiguration) -> String {
        let path: String? =
            switch split {
            case .train: configuration.train
            case .validation:
                configuration.validation ?? (configuration.validationSplit == nil ? nil : configuration.train)
            case .test: configuration.test
            case .sourceTrain: configuration.sourceTrain
            case .sourceValidation: configuration.sourceValidation
            }
        let isHeldOut = split == .validation && configuration.validation == nil && configuration.validationSplit != nil
        return DataFiles.shortName(path ?? "") + (isHeldOut ? " (held out)" : "")
    }

    /// The source task's data and head, if requested.
    private static func sourceData(
        _ configuration: TrainingConfiguration, _ tokenizer: WordPieceTokenizer, layers: Int
    ) throws -> (data: TaskData, head: SourceHead)? {
        guard let train = configuration.sourceTrain else { return nil }
        let shared = configuration.sharedLayers ?? layers
        guard shared <= layers else {
            throw InputError(
                "--shared-layers is \(shared), the model in \(configuration.model) has \(layers): lower it")
        }
        var reading = TaskData.Reading(
            columns: ColumnNames(
                text: configuration.sourceTextColumn, pair: configuration.sourcePairColumn,
                label: configuration.sourceLabelColumn),
            maxLength: configuration.lengthLimit, threads: configuration.threads)
        reading.seed = configuration.seed
        reading.stream = .source
        reading.wholeWords = configuration.wholeWordMasking
        let files =
            [(Split.sourceTrain, train)] + (configuration.sourceValidation.map { [(.sourceValidation, $0)] } ?? [])
        let data = try TaskData(files, task: configuration.sourceTask, reading, tokenizer: tokenizer)
        guard [.classification, .regression, .maskedLM].contains(data.task) else {
            throw InputError(
                "\(train): its labels make it \(data.task.rawValue), a source task is classification, regression or "
                    + "masked-lm: "
                    + "choose one with --source-task")
        }
        return (data, SourceHead(head: data.head, sharedLayers: shared))
    }

    private static func settings(of tokenizer: WordPieceTokenizer) -> JSONValue {
        let (options, vocabulary) = (tokenizer.options, tokenizer.vocabulary)
        // The file is complete, and a token named in addition would be added to it.
        if tokenizer.followsFile { return .object([.init("tokenizer_class", .string("PreTrainedTokenizerFast"))]) }
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

    private static func sourcePlan(_ configuration: TrainingConfiguration, _ dataset: TokenizedDataset, totalSteps: Int)
        -> SourcePlan
    {
        SourcePlan(
            seed: configuration.seed, batchSize: configuration.sourceBatchSize ?? configuration.batchSize,
            lengths: dataset.lengths,
            weights: SampleWeights(dataset, LossOptions()),
            lambda: LambdaSchedule(
                shape: configuration.lambdaSchedule, from: configuration.lambda,
                to: configuration.lambdaEnd ?? configuration.lambda,
                totalSteps: totalSteps))
    }

    /// Most names in a line; more are counted, and listed in ``parametersFile``.
    private static let mostNames = 4

    /// In the run's folder: each parameter, its size, and how it is initialized.
    package static let parametersFile = "parameters.tsv"

    /// Whether lines omit names that ``parametersFile`` has.
    package var needsParametersFile: Bool {
        initialized.count > Self.mostNames || model.layout.stateCount < model.layout.count
    }

    private static func describe(_ loaded: LoadedWeights, _ initialized: [String], _ head: String, _ model: BERTModel)
        -> [String]
    {
        var lines: [String] = []
        if !initialized.isEmpty {
            let names = Set(initialized)
            let values = model.layout.entries.filter { names.contains($0.name) }.reduce(0) { $0 + $1.count }
            let which =
                initialized.count > mostNames
                ? "\(counted(initialized.count, "tensor")) with \(TrainedShare.grouped(values)) parameters, listed "
                    + "in \(parametersFile)"
                : initialized.joined(separator: ", ")
            lines.append("newly initialized for \(head): \(which)")
        }
        if !loaded.unexpected.isEmpty {
            let shown = loaded.unexpected.prefix(6).joined(separator: ", ")
            lines.append(
                "unused in the source model: "
                    + "\(shown)\(loaded.unexpected.count > 6 ? " and \(loaded.unexpected.count - 6) more" : "")"
            )
        }
        return lines
    }

    /// Samples of an evaluation during training, and those scored once at the end.
    var scoredCounts: (each: Int, end: Int) {
        func count(_ splits: Split...) -> Int { splits.reduce(0) { $0 + (datasets[$1]?.count ?? 0) } }
        return (count(.validation, .sourceValidation), count(.test))
    }

    /// Samples of all data files that were truncated to --max-length.
    package var truncatedCount: Int { datasets.values.reduce(0) { $0 + $1.truncatedCount } }

    /// Bytes of the weights, without which a run has no result; a checkpoint that cannot be written is borne with.
    package var weightBytes: Int { model.layout.count * MemoryLayout<Float>.stride }

    /// Bytes of one checkpoint: weights and two moments, once all is trained that will be.
    package var checkpointBytes: Int { (model.layout.count + 2 * mostTrained) * MemoryLayout<Float>.stride }
}
