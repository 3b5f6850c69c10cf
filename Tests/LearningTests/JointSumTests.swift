import BERT
import Kernels
import Tensors
import Testing

@testable import Learning

/// L = L_source + lambda L_target, in the lanes that both tasks share.
@Suite struct JointSumTests {
    private static let shape = BERTShape(
        vocabulary: 37, width: 24, layers: 3, heads: 3, feedForward: 40, positions: 20, types: 2, epsilon: 1e-6,
        activation: .gelu,
        hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02)

    private static func model(_ head: Head) -> BERTModel {
        BERTModel(shape: shape, head: .classification(labels: 3), source: SourceHead(head: head, sharedLayers: 2))
    }

    private static func batch(_ count: Int, _ stream: TaskStream, _ head: Head, from first: Int) -> PackedBatch {
        var packed = PackedBatch()
        packed.stream = stream
        var rows: [Int32] = []
        for position in first..<(first + count) {
            rows.append(Int32(packed.tokenCount))
            let ids = (0..<(2 + position * 7 % 12)).map { Int32((position * 31 + $0 * 17 + stream.rawValue) % 37) }
            packed.append(ids: ids, types: nil as [UInt8]?, position: position, sample: position)
        }
        switch head {
        case .classification: packed.targets = .classes((0..<count).map { Int32($0 % 3) })
        case .regression: packed.targets = .values((0..<count).map { Float($0) - 1 })
        default: packed.targets = .tokens(rows: rows, classes: rows.map { _ in 5 })
        }
        return packed
    }

    /// - Parameter streams: the tasks that take part; one lane has no source samples, one none at all.
    private static func work(_ streams: [TaskStream], source head: Head, lambda: Float) -> LaneWork {
        let lanes = (0..<4).map { lane -> [PackedBatch] in
            guard lane != 3 else { return [] }
            let target = batch(3, .target, .classification(labels: 3), from: 3 * lane)
            let source = batch(lane == 1 ? 0 : 2, .source, head, from: 2 * lane)
            return [target, source].filter { streams.contains($0.stream) }
        }
        return LaneWork(
            firstLane: 0, lanes: lanes, lossScale: lambda / 9, sourceScale: 0.25,
            dropout: DropoutContext(shape, key: DropoutKey(seed: 5, step: 1)))
    }

    /// The gradient by parameter, rows spread out.
    private func gradient(_ model: BERTModel, _ work: LaneWork, _ parameters: FloatBuffer, lanes: Int = 4) -> [[Float]]
    {
        let block = LaneRunner(model: model, laneCount: lanes, threads: 2).run(work, parameters: parameters.view)
            .blocks[0]
        return model.layout.entries.map { entry in
            guard entry.isRowSparse else {
                return block.dense?.part(from: entry.gradientOffset ?? 0, count: entry.count).array
                    ?? [Float](repeating: 0, count: entry.count)
            }
            var values = [Float](repeating: 0, count: entry.count)
            for (place, id) in (block.rows?.ids ?? []).enumerated() {
                values.replaceSubrange((Int(id) * 24)..<(Int(id) * 24 + 24), with: block.rows?.row(place).array ?? [])
            }
            return values
        }
    }

    @Test(arguments: [Head.classification(labels: 3), .regression(), .maskedLanguageModel])
    func `the joint gradient is the source's plus lambda times the target's`(head: Head) {
        let model = Self.model(head)
        let parameters = FloatBuffer(count: model.layout.count)
        for place in 0..<parameters.count { parameters.view[place] = Float((place * 7_919) % 1_000) / 5_000 - 0.1 }
        func gradient(_ streams: [TaskStream], _ lambda: Float) -> [[Float]] {
            self.gradient(model, Self.work(streams, source: head, lambda: lambda), parameters)
        }
        let (target, source) = (gradient([.target], 1), gradient([.source], 1))
        for lambda in [0, 0.5, 3] as [Float] {
            for (place, joint) in gradient([.target, .source], lambda).enumerated() {
                let expected = zip(target[place], source[place]).map { Double(lambda) * Double($0) + Double($1) }
                let largest = expected.reduce(1e-9) { max($0, abs($1)) }
                let error = zip(joint, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
                #expect(error < 2e-6 * max(largest, 1), "lambda \(lambda), \(model.layout.entries[place].name)")
            }
        }
        // With lambda 0 the target's own parameters have a gradient of exactly zero.
        for (entry, joint) in zip(model.layout.entries, gradient([.target, .source], 0))
        where ["classifier.weight", "bert.pooler.dense.bias"].contains(entry.name) {
            #expect(joint.allSatisfy { $0 == 0 })
        }
    }

    @Test func `threads do not change the bits of a joint step`() {
        let model = Self.model(.maskedLanguageModel)
        let parameters = FloatBuffer(count: model.layout.count)
        for place in 0..<parameters.count { parameters.view[place] = Float((place * 7_919) % 1_000) / 5_000 - 0.1 }
        let work = Self.work([.target, .source], source: .maskedLanguageModel, lambda: 0.5)
        let results = [1, 2, 4].map {
            LaneRunner(model: model, laneCount: 4, threads: $0).run(work, parameters: parameters.view)
        }
        for result in results {
            #expect(result.laneLosses == results[0].laneLosses)
            #expect(
                result.blocks[0].dense?.array.map(\.bitPattern) == results[0].blocks[0].dense?.array.map(\.bitPattern))
        }
        #expect(results[0].sourceLosses[1] == 0 && results[0].sourceLosses[0] > 0)
    }
}
