import BERT
import Kernels
import Tensors
import Testing

@Suite struct LaneGradientTests {
    static let heads: [Head] = [
        .classification(labels: 3), .classification(labels: 3, pooling: .mean), .regression(), .regression(targets: 3),
        .regression(targets: 2, pooling: .mean),
        .multiLabel(labels: 3), .tokenClassification(labels: 4), .maskedLanguageModel,
    ]

    /// The directional derivative of the loss, by a central difference, against the gradient's.
    private func directionError(_ model: BERTModel, _ batch: PackedBatch, dropout: DropoutContext?) -> Double {
        let parameters = randomParameters(model)
        let outcome = lane(model, batch, parameters, dropout: dropout)
        var worst = 0.0
        for entry in model.layout.entries {
            let gradient = outcome.gradient(model, entry.name)
            let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            guard norm > 1e-4 else { continue }
            // A step along the gradient of this tensor alone.
            let h = 2e-3 / norm
            func loss(_ sign: Double) -> Double {
                let moved = FloatBuffer(count: parameters.count)
                moved.view.copy(from: parameters.view)
                for (place, index) in entry.range.enumerated() {
                    moved.view[index] += Float(sign * h * Double(gradient[place]))
                }
                return lane(model, batch, moved, dropout: dropout).loss
            }
            let slope = (loss(1) - loss(-1)) / (2 * h)
            worst = max(worst, abs(slope / (norm * norm) - 1))
        }
        return worst
    }

    @Test(arguments: heads)
    func gradientsMatchFiniteDifferences(head: Head) {
        let model = BERTModel(shape: smallShape(), head: head)
        #expect(directionError(model, batch([5, 1, 9], head: head), dropout: nil) < 0.02)
    }

    @Test(arguments: heads)
    func gradientsMatchFiniteDifferencesWhileDropoutHoldsItsKey(head: Head) throws {
        let shape = smallShape(dropout: 0.2)
        let model = BERTModel(shape: shape, head: head)
        let dropout = try #require(DropoutContext(shape, key: DropoutKey(seed: 3, step: 7)))
        #expect(directionError(model, batch([6, 2, 11], head: head), dropout: dropout) < 0.02)
    }

    @Test(arguments: heads)
    func aMaskDoesNotDependOnLaneOrPlaceInTheLane(head: Head) throws {
        let shape = smallShape(dropout: 0.3)
        let model = BERTModel(shape: shape, head: head)
        let parameters = randomParameters(model)
        let dropout = try #require(DropoutContext(shape, key: DropoutKey(seed: 3, step: 7)))
        let alone = lane(model, batch([7], positions: [2], head: head), parameters, dropout: dropout).loss
        let others = lane(model, batch([4, 9], positions: [0, 1], head: head), parameters, dropout: dropout).loss
        let first = lane(model, batch([7, 4, 9], positions: [2, 0, 1], head: head), parameters, dropout: dropout).loss
        let last = lane(model, batch([4, 9, 7], positions: [0, 1, 2], head: head), parameters, dropout: dropout).loss
        #expect(abs(first - (alone + others)) < 1e-5)
        #expect(abs(last - (alone + others)) < 1e-5)
        let elsewhere = lane(model, batch([7], positions: [3], head: head), parameters, dropout: dropout).loss
        #expect(abs(elsewhere - alone) > 1e-5)
    }

    /// Of each layer only the output stays, so that memory grows by little more than that with each layer.
    @Test(arguments: heads)
    func recomputingKeepsLessOfEachLayer(head: Head) {
        func bytes(layers: Int, recompute: Bool) -> Int {
            let model = BERTModel(shape: smallShape(layers: layers), head: head)
            let arena = Arena(chunkSize: 16)
            let sink = GradientSink(
                layout: model.layout, dense: FloatBuffer(count: model.layout.denseCount).view, mode: .overwrite,
                arena: arena)
            let sentences = batch([20, 11, 20], head: head)
            _ = model.laneGradient(
                sentences, model.weights(randomParameters(model).view, trains: true), lossScale: 1, dropout: nil,
                recompute: recompute,
                sink: sink,
                arena: arena)
            return arena.mostBytes
        }
        let kept = bytes(layers: 6, recompute: false) - bytes(layers: 2, recompute: false)
        let recomputed = bytes(layers: 6, recompute: true) - bytes(layers: 2, recompute: true)
        #expect(recomputed < kept / 4, "\(recomputed) bytes for four layers, \(kept) when all is kept")
    }

    @Test func readingOnlyTheFirstRowOfTheLastLayerChangesNothing() {
        let model = BERTModel(shape: smallShape(layers: 3), head: .classification(labels: 3))
        let parameters = randomParameters(model)
        let sentences = batch([5, 8, 3], head: model.head)
        var states: [[Float]] = []
        for sentence in 0..<3 {
            states.append(
                model.hiddenStates(
                    batch([[5, 8, 3][sentence]], positions: [sentence], head: model.head),
                    model.weights(parameters.view, trains: false),
                    arena: Arena())[3])
        }
        var read: [Float] = []
        let arena = Arena()
        let sink = GradientSink(
            layout: model.layout, dense: FloatBuffer(count: model.layout.denseCount).view, mode: .overwrite,
            arena: arena)
        _ = model.laneGradient(
            sentences, model.weights(parameters.view, trains: true), lossScale: 1, dropout: nil, sink: sink,
            arena: arena
        ) { stage, values, _, _ in
            if stage == .layer(2) { read = values.elements.array }
        }
        for sentence in 0..<3 {
            for column in 0..<24 { #expect(abs(read[sentence * 24 + column] - states[sentence][column]) < 1e-5) }
        }
    }

    @Test(arguments: [
        "bert.embeddings", "bert.encoder.layer.0", "bert.encoder.layer.1", "bert", "classifier",
        "bert.encoder.layer.1.attention.self.key",
    ])
    func frozenParametersHaveNoGradientAndOthersKeepTheirs(prefix: String) {
        let head = Head.classification(labels: 3)
        let full = BERTModel(shape: smallShape(), head: head)
        let part = BERTModel(shape: smallShape(), head: head) { $0.hasPrefix(prefix) }
        let sentences = batch([5, 3], head: head)
        let parameters = randomParameters(full)
        let (all, some) = (lane(full, sentences, parameters), lane(part, sentences, parameters))
        #expect(all.loss == some.loss)
        #expect(part.layout.stateCount < full.layout.stateCount)
        for entry in part.layout.entries {
            if entry.name.hasPrefix(prefix) {
                #expect(entry.gradientOffset == nil)
            } else {
                #expect(
                    some.gradient(part, entry.name).map(\.bitPattern)
                        == all.gradient(full, entry.name).map(\.bitPattern), "\(entry.name)")
            }
        }
    }

    /// As in Transformers, whose word table has a padding index.
    @Test(arguments: heads)
    func thePaddingPiecesRowLearnsNothingFromBeingRead(head: Head) {
        let sentences = batch([5, 8], head: head)
        let piece = Int(sentences.ids[2])
        let model = BERTModel(shape: smallShape(), head: head)
        var shape = smallShape()
        shape.padding = piece
        let padded = BERTModel(shape: shape, head: head)
        let parameters = randomParameters(model)
        let name = "bert.embeddings.word_embeddings.weight"
        let all = lane(model, sentences, parameters).gradient(model, name)
        let some = lane(padded, sentences, parameters).gradient(padded, name)
        let row = (piece * 24)..<(piece * 24 + 24)
        for place in all.indices where !row.contains(place) { #expect(some[place] == all[place]) }
        #expect(Array(some[row]) != Array(all[row]))
        if head != .maskedLanguageModel { #expect(some[row].allSatisfy { $0 == 0 }) }
    }

    @Test func addingALaneOntoAnotherEqualsAddingTheirGradients() {
        let model = BERTModel(shape: smallShape(), head: .classification(labels: 3))
        let parameters = randomParameters(model)
        let (a, b) = (
            batch([4, 6], positions: [0, 1], head: model.head), batch([9], positions: [2], head: model.head)
        )
        let (first, second) = (lane(model, a, parameters), lane(model, b, parameters))
        let sum = FloatBuffer(count: model.layout.denseCount)
        sum.view.copy(from: first.dense)
        add(second.dense, to: sum.view)
        let arena = Arena()
        let sink = GradientSink(layout: model.layout, dense: first.dense, mode: .add, arena: arena)
        _ = model.laneGradient(
            b, model.weights(parameters.view, trains: true), lossScale: 1, dropout: nil, sink: sink, arena: arena)
        #expect(first.dense.array.map(\.bitPattern) == sum.view.array.map(\.bitPattern))
    }

    @Test func aLongSentenceInSeveralBlocksOfQueriesHasRightGradients() {
        var shape = smallShape()
        shape.positions = 300
        let model = BERTModel(shape: shape, head: .classification(labels: 3))
        #expect(directionError(model, batch([270, 3], head: model.head), dropout: nil) < 0.02)
    }
}
