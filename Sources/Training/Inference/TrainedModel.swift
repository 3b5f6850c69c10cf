internal import BERT
internal import Checkpoints
internal import Foundation
internal import Tensors
internal import TextData

/// A model folder with its head, ready to answer.
struct TrainedModel: Sendable {
    let configuration: BERTConfiguration
    let model: BERTModel
    let parameters: FloatBuffer
    let tokenizer: WordPieceTokenizer
    /// Absent for regression and masked-LM.
    let labels: LabelSet?
    let maxLength: Int
    /// Whether an evaluation of masked-LM hides a word's pieces together.
    let wholeWords: Bool

    init(_ options: InferenceOptions) throws {
        try ModelPath.check(options.model)
        let json = try ModelFolder.configuration(options.model)
        configuration = try BERTConfiguration(json, path: options.model + "/config.json")
        let folder = try ModelFolder(options.model)
        guard let head = configuration.heads(in: folder).first else {
            throw InputError("\(options.model): has no classification or regression head: fine-tune it first with 'apus train'")
        }
        tokenizer = try WordPieceTokenizer(folder: URL(fileURLWithPath: options.model), rows: configuration.shape.vocabulary)
        try configuration.shape.checkVocabulary(tokenizer.vocabulary.count, model: options.model)
        model = BERTModel(shape: configuration.shape, head: head)
        let loaded = try model.load(folder, keepsHead: true, seed: 0)
        guard loaded.initialized.isEmpty else {
            throw InputError("\(options.model): lacks \(loaded.initialized.joined(separator: ", ")): fine-tune it first with 'apus train'")
        }
        parameters = loaded.parameters
        switch head {
        case .classification, .multiLabel, .tokenClassification: labels = LabelSet(names: configuration.labels(count: head.outputs(configuration.shape)))
        case .regression, .maskedLanguageModel: labels = nil
        }
        wholeWords = json["apus_whole_word_masking"]?.bool ?? false
        let longest = configuration.shape.positions
        let trained = json["apus_max_length"]?.integer ?? TrainingConfiguration.usualMaxLength
        maxLength = options.maxLength ?? min(trained, longest)
        guard (WordPieceTokenizer.shortestLength...longest).contains(maxLength) else {
            throw InputError(
                "--max-length is \(maxLength), \(WordPieceTokenizer.shortestLength) to \(longest) was needed: \(options.model) has \(longest) positions")
        }
    }
}
