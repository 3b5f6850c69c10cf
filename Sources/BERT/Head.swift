/// The layers on top of the encoder.
package enum Head: Sendable, Equatable, Codable {
    /// Softmax over classes, one answer per sentence.
    case classification(labels: Int, pooling: Pooling = .cls)
    /// One or several numbers per sentence.
    case regression(targets: Int = 1, pooling: Pooling = .cls)
    /// Any of several labels per sentence, each with an independent probability.
    case multiLabel(labels: Int, pooling: Pooling = .cls)
    /// Softmax over classes, one answer per word, at its first token.
    case tokenClassification(labels: Int)
    /// The token behind a mask; weights tied to the word embeddings.
    case maskedLanguageModel

    /// How a head pools a sentence into one vector.
    package enum Pooling: String, Sendable, Codable, CaseIterable {
        /// BERT's pooler, a dense layer with tanh, on [CLS].
        case cls
        /// The mean over the sentence's tokens.
        case mean
    }

    /// C, outputs per row.
    package func outputs(_ shape: BERTShape) -> Int {
        switch self {
        case .classification(let labels, _), .multiLabel(let labels, _), .tokenClassification(let labels): labels
        case .regression(let targets, _): targets
        case .maskedLanguageModel: shape.vocabulary
        }
    }

    /// Nil if the head answers for single tokens.
    package var pooling: Pooling? {
        switch self {
        case .classification(_, let pooling), .regression(_, let pooling), .multiLabel(_, let pooling): pooling
        case .tokenClassification, .maskedLanguageModel: nil
        }
    }

    /// Whether each row has one right answer among the outputs.
    package var choosesOne: Bool {
        switch self {
        case .classification, .tokenClassification, .maskedLanguageModel: true
        case .regression, .multiLabel: false
        }
    }
}
