import BERT
import Kernels
import Tensors
import Testing

/// A model with two heads: each batch's gradient is that of a model with its head alone, and nothing else moves.
@Suite struct JointGradientTests {
    private static let heads: [Head] = [
        .classification(labels: 4), .regression(), .maskedLanguageModel, .classification(labels: 3, pooling: .mean),
    ]

    private func sourceBatch(_ head: Head) -> PackedBatch {
        var batch = batch([6, 3, 8], positions: [0, 1, 2], head: head)
        batch.stream = .source
        return batch
    }

    private func isTargetOnly(_ name: String, _ source: SourceHead) -> Bool {
        source.targetOnly(.classification(labels: 3), layers: 3).contains { name.hasPrefix(String($0.dropLast())) }
    }

    /// The name that a parameter has in a model of the source task alone.
    private func alone(_ name: String) -> String {
        name.hasPrefix("source.pooler.")
            ? "bert." + name.dropFirst(7) : name.hasPrefix("source.") ? String(name.dropFirst(7)) : name
    }

    @Test(arguments: heads, [1, 2, 3])
    func `the source's gradient is that of a model cut off after the shared layers`(head: Head, layers: Int) throws {
        let (shape, source) = (smallShape(layers: 3), SourceHead(head: head, sharedLayers: layers))
        let joint = BERTModel(shape: shape, head: .classification(labels: 3), source: source)
        let parameters = randomParameters(joint)
        let cut = BERTModel(shape: smallShape(layers: layers), head: head)
        let own = FloatBuffer(count: cut.layout.count)
        for entry in joint.layout.entries {
            guard !isTargetOnly(entry.name, source), let place = cut.layout.index(of: alone(entry.name))
            else { continue }
            own.view[cut.layout.entries[place].range].copy(from: parameters.view[entry.range])
        }
        let sentences = sourceBatch(head)
        var plain = sentences
        plain.stream = .target
        let (mine, reference) = (lane(joint, sentences, parameters), lane(cut, plain, own))
        #expect(mine.loss == reference.loss)
        for entry in joint.layout.entries {
            let gradient = mine.gradient(joint, entry.name)
            if isTargetOnly(entry.name, source) {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(entry.name)")
            } else {
                #expect(
                    gradient.map(\.bitPattern) == reference.gradient(cut, alone(entry.name)).map(\.bitPattern),
                    "\(entry.name)")
            }
        }
    }

    @Test(arguments: heads)
    func `the target's gradient has the bits that it has without a source`(head: Head) {
        let shape = smallShape(layers: 2)
        let joint = BERTModel(
            shape: shape, head: .classification(labels: 3), source: SourceHead(head: head, sharedLayers: 1))
        let plain = BERTModel(shape: shape, head: .classification(labels: 3))
        let parameters = randomParameters(joint)
        let own = FloatBuffer(count: plain.layout.count)
        for entry in plain.layout.entries {
            guard let place = joint.layout.index(of: entry.name) else { continue }
            own.view[entry.range].copy(from: parameters.view[joint.layout.entries[place].range])
        }
        let sentences = batch([5, 1, 9], head: plain.head)
        let (mine, reference) = (lane(joint, sentences, parameters), lane(plain, sentences, own))
        #expect(mine.loss == reference.loss)
        for entry in joint.layout.entries {
            let gradient = mine.gradient(joint, entry.name)
            if BERTModel.isSourceHead(entry.name) {
                #expect(gradient.allSatisfy { $0 == 0 }, "\(entry.name)")
            } else {
                #expect(gradient.map { $0 } == reference.gradient(plain, entry.name), "\(entry.name)")
            }
        }
    }

    @Test func `masks of the two tasks differ`() throws {
        let shape = smallShape(layers: 2, dropout: 0.3)
        let dropout = try #require(DropoutContext(shape, key: DropoutKey(seed: 1, step: 2)))
        let model = BERTModel(shape: shape, head: .classification(labels: 3))
        let (parameters, sentences) = (randomParameters(model), batch([6, 3], head: .classification(labels: 3)))
        #expect(
            lane(model, sentences, parameters, dropout: dropout).loss
                == lane(model, sentences, parameters, dropout: dropout.of(.target)).loss)
        #expect(
            lane(model, sentences, parameters, dropout: dropout).loss
                != lane(model, sentences, parameters, dropout: dropout.of(.source)).loss)
    }

    @Test func `what serves the target alone is its head and the layers above those that are shared`() {
        let source = SourceHead(head: .regression(), sharedLayers: 2)
        #expect(
            source.targetOnly(.classification(labels: 2), layers: 4)
                == ["bert.pooler.*", "classifier.*", "bert.encoder.layer.2.*", "bert.encoder.layer.3.*"])
        #expect(source.targetOnly(.maskedLanguageModel, layers: 2) == ["cls.predictions.*"])
        #expect(source.targetOnly(.regression(pooling: .mean), layers: 2) == ["classifier.*"])
    }

    @Test func `a batch in which no word is hidden has a gradient of zero`() {
        let model = BERTModel(shape: smallShape(layers: 2), head: .maskedLanguageModel)
        var sentences = batch([5, 4], head: .maskedLanguageModel)
        sentences.targets = .tokens(rows: [], classes: [])
        let outcome = lane(model, sentences, randomParameters(model))
        #expect(outcome.loss == 0)
        #expect(outcome.dense.array.allSatisfy { $0 == 0 })
    }

    /// Memory of an arena is used again as it is left.
    @Test func `a sentence in which no word is hidden has no part in the gradient, whatever memory held before`() {
        let model = BERTModel(shape: smallShape(layers: 2), head: .maskedLanguageModel)
        let parameters = randomParameters(model)
        func gradient(_ lengths: [Int], _ positions: [Int]) -> [Float] {
            var sentences = batch(lengths, positions: positions, head: .maskedLanguageModel)
            let first = Int32(lengths.dropLast().reduce(0, +))
            sentences.targets = .tokens(rows: [first + 1], classes: [7])
            let arena = Arena()
            let mark = arena.mark
            arena.take(1 << 16).fill(.nan)
            arena.release(to: mark)
            let dense = FloatBuffer(count: model.layout.denseCount)
            let sink = GradientSink(layout: model.layout, dense: dense.view, mode: .overwrite, arena: arena)
            _ = model.laneGradient(
                sentences, model.weights(parameters.view, trains: true), lossScale: 1, dropout: nil, sink: sink,
                arena: arena)
            return dense.view.array
        }
        let (both, alone) = (gradient([6, 4], [0, 1]), gradient([4], [1]))
        for (a, b) in zip(both, alone) { #expect(abs(a - b) < 1e-5) }
    }
}
