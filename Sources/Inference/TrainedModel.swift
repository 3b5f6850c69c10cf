internal import BERT
internal import Checkpoints
internal import Configuration
internal import Files
internal import Foundation
internal import Inputs
internal import Kernels
internal import Learning
internal import Processes
internal import Tensors
internal import TextData
internal import Wording

/// A model folder with its head, ready for inference.
struct TrainedModel: Sendable {
    let configuration: BERTConfiguration
    let model: BERTModel
    let parameters: FloatBuffer
    let tokenizer: WordPieceTokenizer
    /// Absent for regression and masked-LM.
    let labels: LabelSet?
    /// Names of the predicted numbers, if the model has them.
    let targets: [String]?
    /// The columns of the data that the model was trained on, if its folder says so.
    let columns: ColumnNames.Usual?
    /// Whether it was trained on pairs of texts; nil if its folder does not say.
    let readsPairs: Bool?
    let maxLength: Int
    /// Whether an evaluation of masked-LM hides a word's tokens together.
    let wholeWords: Bool

    init(_ options: InferenceOptions) throws {
        try ModelPath.check(options.model)
        try options.blas?.use(threads: options.threads)
        let json = try ModelFolder.configuration(options.model)
        configuration = try BERTConfiguration(json, path: options.model + "/config.json")
        let bytes = ModelPath.weightBytes(in: options.model)
        try Self.provide(bytes, options, for: "reading weights of \(bytes / 1_000_000) MB")
        let folder = try ModelFolder(options.model)
        guard let head = configuration.heads(in: folder).first else {
            throw InputError(
                "\(options.model): has no classification or regression head: fine-tune it first with 'apus train'")
        }
        tokenizer = try WordPieceTokenizer(
            folder: URL(fileURLWithPath: options.model), rows: configuration.shape.vocabulary)
        try configuration.shape.checkVocabulary(tokenizer.vocabulary.count, model: options.model)
        model = BERTModel(shape: configuration.shape, head: head, precision: options.precision)
        let memory = MemoryEstimate(model, threads: options.threads, computesApart: true)
        try Self.provide(
            memory.weights + memory.scoring(tokens: Prediction.batchTokens, longest: configuration.shape.positions),
            options, for: "this model, whose weights have \(memory.plainWeights / 1_000_000) MB,")
        let loaded = try model.load(folder, keepsHead: true, seed: 0)
        guard loaded.initialized.isEmpty else {
            throw InputError(
                "\(options.model): lacks \(loaded.initialized.joined(separator: ", ")): fine-tune it first with 'apus "
                    + "train'"
            )
        }
        parameters = loaded.parameters
        switch head {
        case .classification, .multiLabel, .tokenClassification:
            labels = LabelSet(names: configuration.labels(count: head.outputs(configuration.shape)))
        case .regression, .maskedLanguageModel: labels = nil
        }
        if case .regression = head, configuration.namesOutputs { targets = configuration.labels } else { targets = nil }
        readsPairs = json["apus_pairs"]?.bool
        columns = json["apus_text_column"]?.string.map {
            .init(text: $0, pair: json["apus_pair_column"]?.string, label: json["apus_label_column"]?.string)
        }
        wholeWords = json["apus_whole_word_masking"]?.bool ?? false
        let longest = configuration.shape.positions
        let trained = json["apus_max_length"]?.integer ?? TrainingConfiguration.usualMaxLength
        maxLength = options.maxLength ?? min(trained, longest)
        guard (WordPieceTokenizer.shortestLength...longest).contains(maxLength) else {
            throw InputError(
                "--max-length is \(maxLength), expected \(WordPieceTokenizer.shortestLength) to \(longest): "
                    + "\(options.model) has \(longest) positions"
            )
        }
    }

    /// Refuses samples whose scoring needs more address space than the system gives this process.
    /// - Parameter lengths: tokens of each sample.
    func checkMemory(_ options: InferenceOptions, scoring lengths: [Int32]) throws(InputError) {
        guard AddressLimit() != nil else { return }
        let memory = MemoryEstimate(model, threads: options.threads, computesApart: true)
        try Self.provide(memory.scoring(lengths: lengths), options, for: "scoring \(options.inputName)")
    }

    private static func provide(_ bytes: Int, _ options: InferenceOptions, for what: String) throws(InputError) {
        let others = SystemNeed.inference(threads: options.threads).allAddresses
        try AddressLimit.provide(bytes + others, for: what, advice: "lower --threads")
    }

    /// Refuses texts that are not what the model was trained on: one text per sample, or two.
    func checkPairs(_ dataset: Dataset, _ options: InferenceOptions) throws(InputError) {
        if dataset.pairs != nil {
            if tokenizer.givesTypes { try configuration.shape.checkPairs(model: options.model) }
            if readsPairs == false, options.pairColumn == nil, let pair = dataset.columns.pair,
                let text = dataset.columns.text
            {
                throw InputError(
                    "\(options.inputName) has pairs of texts (\"\(text)\" and \"\(pair)\"), \(options.model) was "
                        + "trained on single texts: name the one to read with --text-column")
            }
        } else if readsPairs == true {
            let named = columns.flatMap { columns in columns.pair.map { " (\"\(columns.text)\" and \"\($0)\")" } } ?? ""
            throw InputError(
                "\(options.inputName) was read as single texts, \(options.model) was trained on pairs\(named): name "
                    + "the second text with --pair-column"
            )
        }
    }
}
