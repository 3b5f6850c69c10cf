import BERT
import Kernels
import Tensors
import Testing

@Suite struct LoRATests {
    private static let head = Head.classification(labels: 3)

    private static func model(
        _ targets: [LoRA.Target], layers: Int = 2, dropout: Double = 0, adapterDropout: Double = 0
    ) -> BERTModel {
        BERTModel(
            shape: smallShape(layers: layers, dropout: dropout), head: head,
            lora: LoRA(rank: 3, alpha: 5, targets: targets, dropout: adapterDropout)
        ) {
            $0.hasPrefix("bert.") && !LoRA.isAdapter($0)
        }
    }

    /// The worst relative error of the loss's slope along each trained tensor's gradient, by a central difference.
    private func directionError(_ model: BERTModel, _ sentences: PackedBatch, dropout: DropoutContext? = nil) -> Double
    {
        let parameters = randomParameters(model)
        let outcome = lane(model, sentences, parameters, dropout: dropout)
        var worst = 0.0
        for entry in model.layout.entries where entry.gradientOffset != nil {
            let gradient = outcome.gradient(model, entry.name)
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 1e-4 else { continue }
            let h = 2e-3 / norm
            func loss(_ sign: Double) -> Double {
                let moved = FloatBuffer(count: parameters.count)
                moved.view.copy(from: parameters.view)
                for (place, index) in entry.range.enumerated() {
                    moved.view[index] += Float(sign * h * Double(gradient[place]))
                }
                return lane(model, sentences, moved, dropout: dropout).loss
            }
            worst = max(worst, abs((loss(1) - loss(-1)) / (2 * h) / (norm * norm) - 1))
        }
        return worst
    }

    @Test(arguments: LoRA.Target.allCases.map { [$0] } + [LoRA.Target.allCases])
    func `an adapter's gradients match finite differences`(targets: [LoRA.Target]) {
        let model = Self.model(targets)
        #expect(model.layout.entries.count { $0.gradientOffset != nil } == 4 * targets.count + 2)
        #expect(directionError(model, batch([5, 1, 9], head: Self.head)) < 0.02)
    }

    @Test func `dropout of an adapter's input is undone in the backward pass`() throws {
        let model = Self.model(LoRA.Target.allCases, dropout: 0.2, adapterDropout: 0.3)
        let dropout = try #require(DropoutContext(model.shape, key: DropoutKey(seed: 3, step: 7), adapter: 0.3))
        let sentences = batch([6, 2, 11], head: Self.head)
        #expect(directionError(model, sentences, dropout: dropout) < 0.02)
        let plain = try #require(DropoutContext(model.shape, key: DropoutKey(seed: 3, step: 7)))
        let parameters = randomParameters(model)
        #expect(
            lane(model, sentences, parameters, dropout: dropout).loss
                != lane(model, sentences, parameters, dropout: plain).loss)
    }

    @Test func `merged weights compute what the adapters do`() {
        let model = Self.model(LoRA.Target.allCases)
        let parameters = randomParameters(model)
        let sentences = batch([5, 1, 9], head: Self.head)
        let adapted = model.infer(sentences, model.weights(parameters.view, trains: false), arena: Arena()).logits
        let plain = BERTModel(shape: smallShape(), head: Self.head)
        let merged = model.merged(parameters)
        let weights = FloatBuffer(count: plain.layout.count)
        for entry in plain.layout.entries {
            guard let place = model.layout.index(of: entry.name) else { continue }
            weights.view[entry.range].copy(from: merged.view[model.layout.entries[place].range])
        }
        let answered = plain.infer(sentences, plain.weights(weights.view, trains: false), arena: Arena()).logits
        for (a, b) in zip(adapted, answered) { #expect(abs(a - b) < 1e-4) }
        let before = model.infer(sentences, model.weights(parameters.view, trains: false), arena: Arena()).logits
        #expect(before == adapted)
    }

    @Test func `what lies below the lowest trained adapter has no gradient and no state`() {
        let model = Self.model([.query, .output], layers: 3).freezing {
            ($0.hasPrefix("bert.") && !LoRA.isAdapter($0)) || $0.hasPrefix("bert.encoder.layer.0.")
                || $0.hasPrefix("bert.encoder.layer.1.")
        }
        #expect(model.layout.entries.count { $0.gradientOffset != nil } == 6)
        #expect(model.layout.sparseTable == nil)
        #expect(model.layout.stateCount == model.layout.denseCount)
        #expect(directionError(model, batch([5, 3], head: Self.head)) < 0.02)
    }
}
