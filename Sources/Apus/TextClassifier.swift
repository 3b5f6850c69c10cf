internal import Configuration
internal import Inference
internal import Wording

/// A fine-tuned model that labels texts, or scores them if it was trained for regression.
///
/// For a multi-label model the probabilities are independent, one per label.
///
/// Thread-safe; each call uses up to the given number of threads.
public struct TextClassifier: Sendable {
    /// What the model says of one text.
    public struct Prediction: Sendable {
        /// Name of the most likely class; nil for regression.
        public let label: String?
        /// Probability by class name; empty for regression.
        public let probabilities: [String: Double]
        /// The head's outputs: one per class, or the predicted number.
        public let logits: [Float]
    }

    private let prediction: Inference.Prediction

    /// Reads a model folder, such as `model-best` of a run.
    ///
    /// - Parameter maxLength: tokens of a text including [CLS] and [SEP]; nil: as in training.
    /// - Throws: an error whose description is one line: what was found, what was expected, what to do next.
    public init(model: String, maxLength: Int? = nil, threads: Int = 1) throws {
        prediction = try Inference.Prediction(
            InferenceOptions(
                model: model, input: "-", textColumn: nil, pairColumn: nil, labelColumn: nil, maxLength: maxLength,
                threads: threads))
        guard prediction.answersForTexts else {
            throw InputError(
                "\(model): answers for single words, expected a model that answers for texts: use 'apus predict' "
                    + "with it"
            )
        }
    }

    /// Whether the model was trained on pairs of texts and ``predict(_:pairs:)`` has to be given both.
    public var readsPairs: Bool { prediction.readsPairs == true }

    /// Labels texts, in order. `pairs` are second texts, which a model that ``readsPairs`` must have.
    public func predict(_ texts: [String], pairs: [String]? = nil) -> [Prediction] {
        precondition(
            pairs.map { $0.count == texts.count } ?? true, "\(texts.count) texts and \(pairs?.count ?? 0) second texts")
        precondition(pairs != nil || !readsPairs, "the model was trained on pairs of texts: give `pairs` too")
        return prediction.answers(texts, pairs: pairs).map { answer in
            Prediction(
                label: answer.label,
                probabilities: Dictionary(answer.scores.map { ($0.name, Double($0.probability)) }) { first, _ in first
                },
                logits: answer.logits)
        }
    }
}
