import BERT
import Kernels
import Tensors

/// A small generator with a fixed sequence, so that every run of a test sees the same numbers.
struct FixedSequence: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 2 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 29) ^ state
    }
}

func smallShape(layers: Int = 2, dropout: Double = 0, activation: Activation = .gelu) -> BERTShape {
    BERTShape(
        vocabulary: 37, width: 24, layers: layers, heads: 3, feedForward: 40, positions: 20, types: 2, epsilon: 1e-6,
        activation: activation,
        hiddenDropout: dropout, attentionDropout: dropout, headDropout: dropout, initializerRange: 0.02)
}

func randomParameters(_ model: BERTModel, seed: UInt64 = 1) -> FloatBuffer {
    var random = FixedSequence(seed)
    let buffer = FloatBuffer(count: model.layout.count)
    for entry in model.layout.entries {
        let isGain = entry.name.hasSuffix("LayerNorm.weight")
        for place in entry.range {
            buffer.view[place] = Float.random(in: -0.3...0.3, using: &random) + (isGain ? 1 : 0)
        }
    }
    return buffer
}

/// Sentences of the given lengths at the given positions of a global batch; a sentence's tokens depend on its position
/// alone.
func batch(_ lengths: [Int], positions: [Int]? = nil, head: Head) -> PackedBatch {
    var batch = PackedBatch()
    var (classes, values): ([Int32], [Float]) = ([], [])
    var (rows, words): ([Int32], [Int32]) = ([], [])
    for (place, length) in lengths.enumerated() {
        let position = positions?[place] ?? place
        var random = FixedSequence(UInt64(position) + 100)
        let ids = (0..<length).map { _ in Int32.random(in: 0..<37, using: &random) }
        rows.append(
            contentsOf: [Int32(batch.tokenCount), Int32(batch.tokenCount + length - 1)].prefix(length > 1 ? 2 : 1))
        words.append(contentsOf: [ids[0], ids[length - 1]].prefix(length > 1 ? 2 : 1))
        batch.append(
            ids: ids, types: (0..<length).map { UInt8($0 >= length / 2 ? 1 : 0) }, position: position, sample: position)
        classes.append(Int32(position % 3))
        values.append(Float(position) * 0.3 - 0.5)
    }
    let width = head.outputs(smallShape())
    switch head {
    case .classification: batch.targets = .classes(classes)
    case .regression: batch.targets = .values(values.flatMap { value in (0..<width).map { value + Float($0) * 0.2 } })
    case .multiLabel: batch.targets = .values(classes.flatMap { label in (0..<width).map { Int(label) >= $0 ? 1 : 0 } })
    case .tokenClassification, .maskedLanguageModel:
        batch.targets = .tokens(rows: rows, classes: words.map { $0 % Int32(width) })
    }
    return batch
}

struct LaneOutcome {
    let loss: Double
    let dense: FloatView
    let rows: SparseRows?

    /// The whole gradient by parameter, rows spread out.
    func gradient(_ model: BERTModel, _ name: String) -> [Float] {
        guard let place = model.layout.index(of: name) else { return [] }
        let entry = model.layout.entries[place]
        guard let offset = entry.gradientOffset else { return [] }
        guard entry.isRowSparse else { return dense.part(from: offset, count: entry.count).array }
        var values = [Float](repeating: 0, count: entry.count)
        guard let rows else { return values }
        for (place, id) in rows.ids.enumerated() {
            values.replaceSubrange((Int(id) * rows.width)..<((Int(id) + 1) * rows.width), with: rows.row(place).array)
        }
        return values
    }
}

func lane(_ model: BERTModel, _ batch: PackedBatch, _ parameters: FloatBuffer, dropout: DropoutContext? = nil)
    -> LaneOutcome
{
    let dense = FloatBuffer(count: model.layout.denseCount)
    dense.view.fill(.nan)
    let arena = Arena(chunkSize: 1 << 14)
    let sink = GradientSink(layout: model.layout, dense: dense.view, mode: .overwrite, arena: arena)
    let loss = model.laneGradient(
        batch, model.weights(parameters.view, trains: true), lossScale: 1, dropout: dropout, sink: sink, arena: arena)
    return LaneOutcome(loss: loss, dense: dense.view, rows: sink.rows)
}
