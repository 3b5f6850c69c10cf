internal import BERT
package import Kernels
internal import Learning
internal import Synchronization
internal import Tensors

/// The largest error of each kind of value of one reference case.
///
/// Absolute, except for gradients, which are relative to the largest absolute value of the tensor's reference.
package struct VerificationReport: Codable, Sendable {
    package var name: String
    package var hidden = 0.0
    package var logits = 0.0
    package var loss = 0.0
    package var gradients = 0.0
    package var weights = 0.0
    package var keyBiasGradients = 0.0

    package enum CodingKeys: String, CodingKey {
        case name = "case"
        case hidden, logits, loss, gradients, weights
        case keyBiasGradients = "key_bias_gradients"
    }
}

/// Runs a reference case through the lanes, the reduction and the optimizer that training uses.
package struct Verification {
    private let reference: ReferenceCase
    private let model: BERTModel
    private let runner: LaneRunner
    private let replica: Replica

    /// - Parameter lanes: the number of lanes for the sentences.
    package init(_ reference: ReferenceCase, _ precision: Precision = .float32, lanes: Int, threads: Int) throws {
        self.reference = reference
        let frozen = try FrozenParameters([], lora: reference.lora)
        model = BERTModel(
            shape: reference.shape, head: reference.head, source: reference.source?.head, loss: reference.loss,
            lora: reference.lora, precision: precision,
            isFrozen: frozen.contains)
        // Before any allocation: a configuration may claim a model that no machine can hold.
        let weights = try model.layout.entries.map { try reference.weights($0.name, $0.count) }
        let parameters = FloatBuffer(count: model.layout.count)
        for (entry, values) in zip(model.layout.entries, weights) { parameters.view[entry.range].copy(from: values) }
        runner = LaneRunner(model: model, laneCount: lanes, threads: threads)
        replica = Replica(model: model, parameters: parameters, threads: threads)
    }

    package func run() throws -> VerificationReport {
        var report = VerificationReport(name: reference.name)
        report.hidden = try hiddenError()
        let work = laneWork()
        report.logits = try logitsError(work)
        for step in 1...reference.steps {
            let results = runner.run(work, parameters: replica.parameters.view)
            guard let total = results.blocks.first else { break }
            if step == 1 {
                var loss = results.losses.reduce(0, +) / reference.target.normalizer(reference.loss)
                if let source = reference.source {
                    loss =
                        loss * source.lambda + results.sourceLosses.reduce(0, +)
                        / source.batch.normalizer(LossOptions())
                }
                report.loss = abs(loss - Double(try reference.reference("loss", 1)[0]))
                try compareGradients(total, &report)
            }
            let settings = reference.optimizer
            let rate = reference.schedule.rate(step: step)
            let scale = settings.clippingFactor(norm: replica.norm(of: StepGradient(total)))
            replica.apply(StepGradient(total), settings.update(step: step, learningRate: rate, gradientScale: scale))
            runner.pool.give(back: total)
        }
        report.weights = try weightError()
        return report
    }

    /// Sentences distributed to the lanes in turn; lanes beyond the sentences stay empty.
    private func laneWork() -> LaneWork {
        func dealt(_ batch: ReferenceBatch, _ lane: Int) -> PackedBatch {
            batch.packed(Array(stride(from: lane, to: batch.sentences, by: runner.laneCount)))
        }
        let lanes = (0..<runner.laneCount).map { lane in
            [dealt(reference.target, lane)] + (reference.source.map { [dealt($0.batch, lane)] } ?? [])
        }
        let lambda = reference.source?.lambda ?? 1
        return LaneWork(
            firstLane: 0, lanes: lanes, lossScale: Float(lambda / reference.target.normalizer(reference.loss)),
            sourceScale: reference.source.map { Float(1 / $0.batch.normalizer(LossOptions())) } ?? 0, dropout: nil)
    }

    private func hiddenError() throws -> Double {
        let weights = runner.weights(replica.parameters.view, trains: false)
        var error = 0.0
        for sentence in 0..<reference.target.sentences {
            let states = model.hiddenStates(
                reference.target.packed([sentence]), weights, arena: Arena())
            for (layer, state) in states.enumerated() {
                let expected = try reference.reference(
                    "hidden.\(layer)", reference.target.inputIds.count * model.shape.width)
                let start = sentence * reference.target.width * model.shape.width
                error = max(error, Self.largestDifference(state, expected[start..<(start + state.count)]))
            }
        }
        return error
    }

    private func logitsError(_ work: LaneWork) throws -> Double {
        let width = model.head.outputs(model.shape)
        let rows = model.head.pooling == nil ? reference.target.inputIds.count : reference.target.sentences
        let expected = try reference.reference("logits", rows * width)
        let weights = runner.weights(replica.parameters.view, trains: true)
        var error = 0.0
        for (lane, batches) in work.lanes.enumerated() {
            for batch in batches where batch.sentenceCount > 0 && batch.stream == .target {
                let sink = GradientSink(
                    layout: model.layout, dense: FloatBuffer(count: model.layout.denseCount).view, mode: .overwrite,
                    arena: Arena())
                _ = model.laneGradient(
                    batch, weights, lossScale: work.lossScale, dropout: nil, sink: sink,
                    arena: Arena()
                ) { stage, values, rows, _ in
                    guard stage == .logits, let rows else { return }
                    for (place, row) in rows.enumerated() {
                        let start = expectedRow(row, of: batch, lane: lane) * width
                        let actual = values.rows(place..<(place + 1)).elements.array
                        error = max(error, Self.largestDifference(actual, expected[start..<(start + width)]))
                    }
                }
            }
        }
        return error
    }

    /// The reference's index of a packed row's logits: by sentence, or by sentence and token.
    private func expectedRow(_ row: Int32, of batch: PackedBatch, lane: Int) -> Int {
        let place = batch.offsets.lastIndex { $0 <= row } ?? 0
        let sentence = batch.samples[place]
        guard model.head.pooling == nil else { return sentence }
        return sentence * reference.target.width + Int(row - batch.offsets[place])
    }

    private func compareGradients(_ total: BlockGradient, _ report: inout VerificationReport) throws {
        for entry in model.layout.entries where entry.gradientOffset != nil {
            let expected = try reference.reference("grad.\(entry.name)", entry.count)
            var actual = [Float](repeating: 0, count: entry.count)
            if entry.isRowSparse, let rows = total.rows {
                for (place, id) in rows.ids.enumerated() {
                    actual.replaceSubrange(
                        (Int(id) * rows.width)..<((Int(id) + 1) * rows.width), with: rows.row(place).array)
                }
            } else if let dense = total.dense, let offset = entry.gradientOffset {
                actual = dense.part(from: offset, count: entry.count).array
            }
            let difference = Self.largestDifference(actual, expected[...])
            if Self.isKeyBias(entry.name) {
                report.keyBiasGradients = max(report.keyBiasGradients, difference)
            } else {
                let largest = Double(expected.reduce(0) { max($0, abs($1)) })
                report.gradients = max(report.gradients, largest > 0 ? difference / largest : difference)
            }
        }
    }

    private func weightError() throws -> Double {
        var error = 0.0
        for entry in model.layout.entries where entry.gradientOffset != nil && !Self.isKeyBias(entry.name) {
            let expected = try reference.reference("after.\(entry.name)", entry.count)
            let gradient = try reference.reference("grad.\(entry.name)", entry.count)
            let actual = replica.parameters.view[entry.range].array
            for place in actual.indices where abs(gradient[place]) >= 1e-6 {
                error = max(error, Self.difference(actual[place], expected[place]))
            }
        }
        return error
    }

    private static func isKeyBias(_ name: String) -> Bool { name.hasSuffix("attention.self.key.bias") }

    private static func largestDifference(_ actual: [Float], _ expected: ArraySlice<Float>) -> Double {
        zip(actual, expected).reduce(0) { max($0, difference($1.0, $1.1)) }
    }

    /// Absolute difference; infinite if either value is not a number.
    private static func difference(_ a: Float, _ b: Float) -> Double {
        let difference = abs(Double(a) - Double(b))
        return difference.isNaN ? .infinity : difference
    }
}
