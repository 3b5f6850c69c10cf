package import BERT
package import Kernels

/// The sizes of a model that determine its kernels, and at which fingerprints are taken.
package struct ArithmeticShape: Codable, Sendable, Equatable {
    /// D, width of a token's vector.
    package let width: Int
    /// H, attention heads.
    package let heads: Int
    /// F, feed-forward width.
    package let feedForward: Int
    private let activation: Activation
    /// The provider of matrix products.
    package let blas: BLAS
    /// Of the encoder's products.
    package let precision: Precision

    package init(_ shape: BERTShape, blas: BLAS, precision: Precision) {
        self.init(
            width: shape.width, heads: shape.heads, feedForward: shape.feedForward, activation: shape.activation,
            blas: blas, precision: precision)
    }

    private init(width: Int, heads: Int, feedForward: Int, activation: Activation, blas: BLAS, precision: Precision) {
        (self.width, self.heads, self.feedForward, self.activation) = (width, heads, feedForward, activation)
        (self.blas, self.precision) = (blas, precision)
    }

    /// Vocabulary size of the models for fingerprints.
    static let vocabulary = 211

    /// The default model's.
    package static let standard = ArithmeticShape(
        width: 384, heads: 12, feedForward: 1_536, activation: .gelu, blas: .own, precision: .float32)

    /// As an argument of `apus check --local`: "384,12,1536,gelu,own,float32".
    package var text: String {
        "\(width),\(heads),\(feedForward),\(activation.rawValue),\(blas.rawValue),\(precision.rawValue)"
    }

    /// - Returns: nil unless `text` is of that form with sizes that a model can have.
    package init?(text: String) {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.prefix(3).compactMap { Int($0) }.filter { (1...65_536).contains($0) }
        guard words.count == 6, numbers.count == 3, numbers[0] % numbers[1] == 0,
            let activation = Activation(rawValue: String(words[3])),
            let blas = BLAS(rawValue: String(words[4])), let precision = Precision(rawValue: String(words[5]))
        else { return nil }
        self.init(
            width: numbers[0], heads: numbers[1], feedForward: numbers[2], activation: activation, blas: blas,
            precision: precision)
    }

    /// A small model of these sizes: two layers, since the last one computes only the rows that its head reads.
    func model(_ head: Head, lora: LoRA? = nil) -> BERTModel {
        BERTModel(
            shape: BERTShape(
                vocabulary: Self.vocabulary, width: width, layers: 2, heads: heads, feedForward: feedForward,
                positions: 128, types: 2, epsilon: 1e-12,
                activation: activation, hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1,
                initializerRange: 0.02),
            head: head, lora: lora, precision: precision,
            isFrozen: { lora != nil && !LoRA.isAdapter($0) && !$0.hasPrefix("classifier.") })
    }
}
