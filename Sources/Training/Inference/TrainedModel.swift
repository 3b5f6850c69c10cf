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
    /// Absent for regression.
    let labels: LabelSet?
    let maxLength: Int

    init(_ options: InferenceOptions) throws {
        let json = try ModelFolder.configuration(options.model)
        configuration = try BERTConfiguration(json, path: options.model + "/config.json")
        let folder = try ModelFolder(options.model)
        guard configuration.architectures.contains("BertForSequenceClassification"), folder.tensor("classifier.weight") != nil else {
            throw InputError("\(options.model): has no classification or regression head: fine-tune it first with 'apus train'")
        }
        tokenizer = try WordPieceTokenizer(folder: URL(fileURLWithPath: options.model))
        guard tokenizer.vocabulary.count == configuration.shape.vocabulary else {
            throw InputError(
                "\(options.model): the vocabulary has \(tokenizer.vocabulary.count) pieces, config.json says \(configuration.shape.vocabulary): "
                    + "is this the vocabulary of this model?")
        }
        let isRegression = configuration.labels.count == 1
        model = BERTModel(shape: configuration.shape, head: isRegression ? .regression : .classification(labels: configuration.labels.count))
        let loaded = try model.load(folder, keepsHead: true, seed: 0)
        guard loaded.initialized.isEmpty else {
            throw InputError("\(options.model): lacks \(loaded.initialized.joined(separator: ", ")): fine-tune it first with 'apus train'")
        }
        parameters = loaded.parameters
        labels = isRegression ? nil : LabelSet(names: configuration.labels)
        let longest = configuration.shape.positions
        maxLength = options.maxLength ?? min(json["apus_max_length"]?.integer ?? 128, longest)
        guard (WordPieceTokenizer.shortestLength...longest).contains(maxLength) else {
            throw InputError(
                "--max-length is \(maxLength), \(WordPieceTokenizer.shortestLength) to \(longest) was needed: \(options.model) has \(longest) positions")
        }
    }
}
