package import Kernels

/// The sizes and constants of a BERT encoder that its arithmetic needs.
package struct BERTShape: Sendable, Equatable, Codable {
    /// V, tokens of the vocabulary.
    package var vocabulary: Int
    /// D, width of a token's vector.
    package var width: Int
    /// L, encoder layers.
    package var layers: Int
    /// H, attention heads.
    package var heads: Int
    /// F, feed-forward width.
    package var feedForward: Int
    /// Longest sentence, in tokens.
    package var positions: Int
    /// Token types, usually 2.
    package var types: Int
    /// The padding token, whose row of the word table gets no gradient; nil if the model names none.
    package var padding: Int?
    package var epsilon: Float
    package var activation: Activation
    package var hiddenDropout: Double
    package var attentionDropout: Double
    package var headDropout: Double
    /// Standard deviation of newly initialized weights.
    package var initializerRange: Double

    package init(
        vocabulary: Int, width: Int, layers: Int, heads: Int, feedForward: Int, positions: Int, types: Int,
        epsilon: Float,
        activation: Activation, hiddenDropout: Double, attentionDropout: Double, headDropout: Double,
        initializerRange: Double,
        padding: Int? = nil
    ) {
        self.vocabulary = vocabulary
        self.width = width
        self.layers = layers
        self.heads = heads
        self.feedForward = feedForward
        self.positions = positions
        self.types = types
        self.epsilon = epsilon
        self.activation = activation
        self.hiddenDropout = hiddenDropout
        self.attentionDropout = attentionDropout
        self.headDropout = headDropout
        self.initializerRange = initializerRange
        self.padding = padding
    }

    /// The same shape with one dropout rate everywhere.
    package func dropout(_ rate: Double) -> BERTShape {
        var shape = self
        shape.hiddenDropout = rate
        shape.attentionDropout = rate
        shape.headDropout = rate
        return shape
    }
}
