import BERT
import Kernels
import Tensors
import Testing

@Suite struct FeaturesTests {
    private static let head = Head.classification(labels: 3)

    private static func model(dropout: Double = 0, frozen: [String] = ["bert.embeddings.", "bert.encoder."])
        -> BERTModel
    {
        BERTModel(shape: smallShape(dropout: dropout), head: head) { name in frozen.contains { name.hasPrefix($0) } }
    }

    @Test func `features are fixed when nothing of the encoder is trained and nothing in it drops out`() {
        #expect(Self.model().hasFixedFeatures)
        #expect(!Self.model(dropout: 0.1).hasFixedFeatures && Self.model(dropout: 0.1).isHeldBackByDropout)
        #expect(!Self.model(frozen: ["bert.embeddings.", "bert.encoder.layer.0."]).hasFixedFeatures)
        #expect(!Self.model(frozen: []).hasFixedFeatures)
        var shape = smallShape()
        shape.headDropout = 0.5
        #expect(BERTModel(shape: shape, head: Self.head) { $0.hasPrefix("bert.") }.hasFixedFeatures)
    }

    @Test func `a head learns from features what it learns through the encoder`() throws {
        var shape = smallShape()
        shape.headDropout = 0.3
        let model = BERTModel(shape: shape, head: Self.head) {
            $0.hasPrefix("bert.embeddings.") || $0.hasPrefix("bert.encoder.")
        }
        let parameters = randomParameters(model)
        let dropout = try #require(DropoutContext(shape, key: DropoutKey(seed: 2, step: 3)))
        let sentences = batch([5, 1, 9], head: Self.head)
        let store = FeatureStore(samples: 3, width: shape.width)
        let arena = Arena()
        store.set(
            0..<3, model.features(sentences, model.weights(parameters.view, trains: false), arena: arena).elements)
        let short = sentences.with(store)
        #expect(short.tokenCount == 3 && short.features.count == 3 * shape.width && short.samples == sentences.samples)
        let (whole, quick) = (
            lane(model, sentences, parameters, dropout: dropout), lane(model, short, parameters, dropout: dropout)
        )
        #expect(abs(whole.loss - quick.loss) < 1e-6)
        for entry in model.layout.entries where entry.gradientOffset != nil {
            for (a, b) in zip(whole.gradient(model, entry.name), quick.gradient(model, entry.name)) {
                #expect(abs(a - b) < 1e-6)
            }
        }
        let answers = model.infer(sentences, model.weights(parameters.view, trains: false), arena: Arena()).logits
        #expect(
            model.infer(short, model.weights(parameters.view, trains: false), arena: Arena()).logits.map(\.bitPattern)
                == answers.map(\.bitPattern))
    }
}
