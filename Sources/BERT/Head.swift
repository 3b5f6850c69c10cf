/// What sits on top of the encoder.
package enum Head: Sendable, Equatable, Codable {
    /// Softmax over classes, one answer a sentence.
    case classification(labels: Int, pooling: Pooling = .cls)
    /// One or several numbers a sentence.
    case regression(targets: Int = 1, pooling: Pooling = .cls)
    /// Any of several labels a sentence, each with a probability of its own.
    case multiLabel(labels: Int, pooling: Pooling = .cls)
    /// Softmax over classes, one answer a word: at its first piece.
    case tokenClassification(labels: Int)
    /// The word that a masked token stands for; weights tied to the word embeddings.
    case maskedLanguageModel

    /// How a head makes one vector of a sentence.
    package enum Pooling: String, Sendable, Codable, CaseIterable {
        /// BERT's pooler, a dense layer with tanh, on [CLS].
        case cls
        /// The mean over the sentence's tokens.
        case mean
    }

    /// C, outputs a row.
    package func outputs(_ shape: BERTShape) -> Int {
        switch self {
        case .classification(let labels, _), .multiLabel(let labels, _), .tokenClassification(let labels): labels
        case .regression(let targets, _): targets
        case .maskedLanguageModel: shape.vocabulary
        }
    }

    /// Nil where the head answers for single tokens.
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
