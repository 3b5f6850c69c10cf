import BERT
import Foundation
import Kernels
import Tensors
import Testing

@testable import Learning

/// Updates beside those of PyTorch's optimizers and Transformers' schedules: Fixtures/optimizers, made by its
/// generate.py.
@Suite struct OptimizerReferenceTests {
    struct Reference: Codable {
        var optimizer: OptimizerSettings.Kind
        var weightDecay: Double
        var schedule: LearningRateSchedule.Shape
        var warmup: Int
        var total: Int
        var maxNorm: Double?
        var rates: [Double]
        var norms: [Double]
        var after: [String: [Float]]

        enum CodingKeys: String, CodingKey {
            case weightDecay = "weight_decay"
            case maxNorm = "max_norm"
            case optimizer, schedule, warmup, total, rates, norms, after
        }

        var description: String {
            "\(optimizer), decay \(weightDecay), \(schedule), warm-up \(warmup), norm \(maxNorm ?? .infinity)"
        }

        static var all: [Reference] {
            get throws {
                let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
                    path: "../Fixtures/optimizers/reference.json")
                return try JSONDecoder().decode([Reference].self, from: Data(contentsOf: path))
            }
        }
    }

    private static let model = BERTModel(
        shape: BERTShape(
            vocabulary: 6, width: 4, layers: 1, heads: 1, feedForward: 4, positions: 3, types: 1, epsilon: 1e-6,
            activation: .relu,
            hiddenDropout: 0, attentionDropout: 0, headDropout: 0, initializerRange: 0.02),
        head: .regression())

    /// The parameters that stand for the reference's, and the reference's numbers of its tensors.
    private static let parameters = [
        "table": ("bert.embeddings.word_embeddings.weight", 0),
        "weight": ("bert.encoder.layer.0.attention.output.dense.weight", 1),
        "bias": ("bert.encoder.layer.0.attention.output.dense.bias", 2),
    ]

    private static func numbers(_ tensor: Int, step: Int, count: Int) -> [Float] {
        (0..<count).map { place in Float((place * 37 + tensor * 101 + step * 53 + place * place * 11) % 129 - 64) / 64 }
    }

    private static func entry(_ name: String) throws -> ParameterLayout.Entry {
        model.layout.entries[try #require(model.layout.index(of: name))]
    }

    private static func gradient(step: Int) throws -> StepGradient {
        let dense = FloatBuffer(count: model.layout.denseCount)
        for (name, tensor) in parameters.values where tensor > 0 {
            let entry = try entry(name)
            let offset = try #require(entry.gradientOffset)
            dense.view.part(from: offset, count: entry.count).copy(
                from: numbers(tensor, step: step, count: entry.count))
        }
        let rows = SparseRows(ids: [2, 3, 4, 5], width: 4)
        rows.matrix.elements.copy(from: Array(numbers(0, step: step, count: 24)[8...]))
        return StepGradient(BlockGradient(lanes: 0..<1, dense: dense.view, rows: rows))
    }

    @Test func `every update, rate and norm is the reference's`() throws {
        let cases = try Reference.all
        #expect(cases.count == 7)
        for reference in cases {
            let buffer = FloatBuffer(count: Self.model.layout.count)
            for (name, tensor) in Self.parameters.values {
                let entry = try Self.entry(name)
                buffer.view[entry.range].copy(from: Self.numbers(tensor, step: 0, count: entry.count))
            }
            let replica = Replica(model: Self.model, parameters: buffer, threads: 2)
            let settings = OptimizerSettings(
                kind: reference.optimizer, weightDecay: reference.weightDecay, maxGradientNorm: reference.maxNorm)
            let schedule = LearningRateSchedule(
                shape: reference.schedule, peak: 0.02, warmupSteps: reference.warmup, totalSteps: reference.total)
            for step in 1...reference.rates.count {
                let gradient = try Self.gradient(step: step)
                let (norm, rate) = (replica.norm(of: gradient), schedule.rate(step: step))
                #expect(abs(norm - reference.norms[step - 1]) < 1e-6, "\(reference.description), step \(step)")
                #expect(abs(rate - reference.rates[step - 1]) < 1e-15, "\(reference.description), step \(step)")
                let scale = settings.clippingFactor(norm: norm)
                replica.apply(gradient, settings.update(step: step, learningRate: rate, gradientScale: scale))
            }
            for (key, values) in reference.after {
                let entry = try Self.entry(try #require(Self.parameters[key]).0)
                let actual = buffer.view[entry.range].array
                #expect(actual.count == values.count)
                let error = zip(actual, values).map { abs($0 - $1) }.max() ?? .infinity
                #expect(error < 1e-6, "\(reference.description): \(key)")
            }
        }
    }

    /// Decay that is added to the gradient gives moments to rows that no batch has had yet.
    @Test(arguments: [(OptimizerSettings.Kind.adam, 0.1), (.adam, 0), (.adamw, 0.1), (.adamw, 0)])
    func `a row that comes late has the moments of the steps before`(kind: OptimizerSettings.Kind, decay: Double) throws
    {
        let table = try Self.entry("bert.embeddings.word_embeddings.weight")
        let buffer = FloatBuffer(count: Self.model.layout.count)
        buffer.view[table.range].copy(from: Self.numbers(0, step: 0, count: table.count))
        let replica = Replica(model: Self.model, parameters: buffer, threads: 1)
        let settings = OptimizerSettings(kind: kind, weightDecay: decay, maxGradientNorm: nil)
        let late = 4
        let alone = FloatBuffer(count: 12).view
        let (parameters, first, second) = (alone[0..<4], alone[4..<8], alone[8..<12])
        let row = (table.offset + 4 * late)..<(table.offset + 4 * late + 4)
        parameters.copy(from: buffer.view[row].array)
        for (step, id) in [(1, Int32(1)), (2, Int32(late)), (3, 1)] {
            let rows = SparseRows(ids: [id], width: 4)
            rows.matrix.elements.copy(from: Self.numbers(0, step: step, count: 4))
            let update = settings.update(step: step, learningRate: 0.02, gradientScale: 1)
            replica.apply(StepGradient(dense: nil, rows: rows), update)
            adamUpdate(
                update[0].constants(decays: table.decays), gradient: id == late ? rows.row(0) : nil,
                parameters: parameters, first: first,
                second: second)
            let state = try #require(table.gradientOffset) + 4 * late
            #expect(buffer.view[row].array == parameters.array, "step \(step)")
            #expect(replica.first.view.part(from: state, count: 4).array == first.array, "step \(step)")
            #expect(replica.second.view.part(from: state, count: 4).array == second.array, "step \(step)")
        }
    }
}
