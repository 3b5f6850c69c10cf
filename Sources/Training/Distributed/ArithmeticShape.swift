package import BERT
internal import Kernels

/// The sizes of a model that decide which kernels compute it: what fingerprints are taken at.
package struct ArithmeticShape: Codable, Sendable, Equatable {
    /// D, width of a token's vector.
    package let width: Int
    /// H, attention heads.
    package let heads: Int
    /// F, feed-forward width.
    package let feedForward: Int
    private let activation: Activation

    package init(_ shape: BERTShape) {
        (width, heads, feedForward, activation) = (shape.width, shape.heads, shape.feedForward, shape.activation)
    }

    private init(width: Int, heads: Int, feedForward: Int, activation: Activation) {
        (self.width, self.heads, self.feedForward, self.activation) = (width, heads, feedForward, activation)
    }

    /// The default model's.
    package static let standard = ArithmeticShape(width: 384, heads: 12, feedForward: 1_536, activation: .gelu)

    /// As an argument of `apus check --local`: "384,12,1536,gelu".
    package var text: String { "\(width),\(heads),\(feedForward),\(activation.rawValue)" }

    /// - Returns: nil unless `text` is of that form and a model can have these sizes.
    package init?(text: String) {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.prefix(3).compactMap { Int($0) }.filter { (1...65_536).contains($0) }
        guard words.count == 4, numbers.count == 3, numbers[0] % numbers[1] == 0, let activation = Activation(rawValue: String(words[3])) else { return nil }
        self.init(width: numbers[0], heads: numbers[1], feedForward: numbers[2], activation: activation)
    }

    /// A small model of these sizes: two layers, since the last one computes [CLS] alone.
    var model: BERTModel {
        BERTModel(
            shape: BERTShape(
                vocabulary: 211, width: width, layers: 2, heads: heads, feedForward: feedForward, positions: 128, types: 2, epsilon: 1e-12,
                activation: activation, hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02),
            head: .classification(labels: 3))
    }
}
