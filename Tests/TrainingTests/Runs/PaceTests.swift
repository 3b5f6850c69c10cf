import BERT
import Kernels
import Tensors
import Testing

@testable import Learning
@testable import Runs

/// How fast each part of the model learns, and when it begins to.
@Suite struct PaceTests {
    private static let model = BERTModel(
        shape: BERTShape(
            vocabulary: 37, width: 8, layers: 3, heads: 2, feedForward: 16, positions: 20, types: 2, epsilon: 1e-6,
            activation: .gelu,
            hiddenDropout: 0, attentionDropout: 0, headDropout: 0, initializerRange: 0.02),
        head: .classification(labels: 3))

    @Test func `each layer learns slower than the one above it, by the factor asked for`() {
        let factors: [Double] = [0.0625, 0.125, 0.25, 0.5, 1, 4]
        #expect(OptimizerSettings.factors(layers: 3, decay: 0.5, head: 4) == factors)
        let settings = OptimizerSettings(kind: .adamw, weightDecay: 0, maxGradientNorm: nil, factors: factors)
        let update = settings.update(step: 2, learningRate: 0.8, gradientScale: 1)
        func alone(_ rate: Double) -> OptimizerUpdate {
            OptimizerSettings(kind: .adamw, weightDecay: 0, maxGradientNorm: nil).update(
                step: 2, learningRate: rate, gradientScale: 1)
        }
        #expect(update[Self.model.depth(of: "bert.embeddings.LayerNorm.bias")] == alone(0.05)[0])
        #expect(update[Self.model.depth(of: "bert.encoder.layer.0.output.dense.weight")] == alone(0.1)[0])
        #expect(update[Self.model.depth(of: "bert.encoder.layer.2.attention.self.key.bias")] == alone(0.4)[0])
        #expect(update[Self.model.depth(of: "bert.pooler.dense.weight")] == alone(0.8)[0])
        #expect(update[Self.model.depth(of: "classifier.weight")] == alone(3.2)[0])
    }

    @Test func `every parameter has a depth between those of embeddings and head`() {
        let depths = Self.model.layout.entries.map { Self.model.depth(of: $0.name) }
        #expect(Set(depths) == Set(0...5))
    }

    @Test func `layers thaw from the top, the embeddings last, and each depth's first update is its own first`() {
        let unfreezing = Unfreezing(every: 2, layers: 3)
        let thawed = (1...12).map { unfreezing.thawed(inEpoch: $0) }
        #expect(thawed == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4])
        #expect(unfreezing.frozen(inEpoch: 1) == ["embeddings", "layers 0-2"])
        #expect(unfreezing.frozen(inEpoch: 5) == ["embeddings", "layers 0-0"])
        #expect(unfreezing.frozen(inEpoch: 7) == ["embeddings"])
        #expect(unfreezing.frozen(inEpoch: 9).isEmpty)
        let beginnings = unfreezing.beginnings(stepsPerEpoch: 10)
        #expect(beginnings == [80, 60, 40, 20, 0])
        let settings = OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil, beginnings: beginnings)
        let first = OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil).update(
            step: 1, learningRate: 1, gradientScale: 1)[0]
        for (depth, beginning) in beginnings.enumerated() {
            #expect(settings.update(step: beginning + 1, learningRate: 1, gradientScale: 1)[depth] == first)
        }
    }

    @Test func `a state goes on in another stage with its moments, and new ones begin at zero`() throws {
        let frozen = Self.model.freezing(try FrozenParameters(["embeddings", "layers 0-1"]).contains)
        let replica = Replica(model: frozen, parameters: FloatBuffer(count: Self.model.layout.count), threads: 1)
        for place in 0..<replica.first.count {
            replica.first.view[place] = Float(place)
            replica.second.view[place] = Float(-place)
        }
        let thawed = replica.state.converted(from: frozen, to: Self.model)
        #expect(thawed.first.count == Self.model.layout.stateCount)
        #expect(thawed.touched.rows == 37 && replica.touched.rows == 0)
        for (before, after) in zip(frozen.layout.entries, Self.model.layout.entries) {
            guard let target = after.gradientOffset else { continue }
            let moved = thawed.second.view.part(from: target, count: after.count).array
            if let source = before.gradientOffset {
                #expect(moved == replica.second.view.part(from: source, count: after.count).array, "\(after.name)")
            } else {
                #expect(moved.allSatisfy { $0 == 0 }, "\(after.name)")
            }
        }
        let back = thawed.converted(from: Self.model, to: frozen)
        #expect(back.first.view.array == replica.first.view.array)
    }

    @Test func `seeds show their mean and the deviation of a sample`() {
        #expect(SeedSummary.mean([1, 2, 6]) == 3)
        let deviation = SeedSummary.deviation([1, 2, 6])
        #expect(abs(deviation - 7.0.squareRoot()) < 1e-12)
        #expect(SeedSummary.deviation([4]) == 0)
    }
}
