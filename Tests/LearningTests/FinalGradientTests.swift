import BERT
import Kernels
import Tensors
import Testing

@testable import Learning
@testable import Reduction

/// What a run declares final is written no more, in every way that lanes and batches are computed.
@Suite struct FinalGradientTests {
    enum Job: CaseIterable {
        /// All lanes in one pass; lanes that follow one another; a lane's batches that follow one another.
        case together, apart, accumulated, accumulatedOneLane
        /// Two tasks, the second of which ends below the top; the last lane has the source task alone, or nothing.
        case twoTasks, sourceLast, lastLanesEmpty, noSamples
        case masked, maskedSource, adapters, frozen, topFrozen, headAlone, mean, recomputed
    }

    private static func model(_ job: Job) -> BERTModel {
        let isLong = job == .apart || job == .accumulatedOneLane
        let shape = BERTShape(
            vocabulary: 37, width: 24, layers: 3, heads: 3, feedForward: 40, positions: isLong ? 300 : 20, types: 2,
            epsilon: 1e-6, activation: .gelu, hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1,
            initializerRange: 0.02)
        let source: SourceHead? =
            switch job {
            case .twoTasks, .sourceLast: SourceHead(head: .regression(), sharedLayers: 1)
            case .maskedSource: SourceHead(head: .maskedLanguageModel, sharedLayers: 2)
            default: nil
            }
        let lora = LoRA(rank: 2, alpha: 4, targets: [.query, .value, .attentionOutput, .output], dropout: 0.1)
        return BERTModel(
            shape: shape,
            head: job == .masked
                ? .maskedLanguageModel : .classification(labels: 3, pooling: job == .mean ? .mean : .cls),
            source: source, lora: job == .adapters ? lora : nil
        ) { name in
            switch job {
            case .adapters: !BERTModel.isHead(name) && !LoRA.isAdapter(name)
            case .frozen: name.hasPrefix("bert.embeddings.") || name.contains(".layer.1.")
            case .topFrozen: name.contains(".layer.2.") || BERTModel.isHead(name) || name.contains("pooler")
            case .headAlone: name.hasPrefix("bert.embeddings.") || name.hasPrefix("bert.encoder.")
            default: false
            }
        }
    }

    private static func batch(_ count: Int, _ stream: TaskStream, _ head: Head, from first: Int, length: Int)
        -> PackedBatch
    {
        var packed = PackedBatch()
        packed.stream = stream
        var rows: [Int32] = []
        for position in first..<(first + count) {
            rows.append(Int32(packed.tokenCount))
            let ids = (0..<(length + position * 7 % 12)).map { Int32((position * 31 + $0 * 17 + stream.rawValue) % 37) }
            packed.append(ids: ids, types: nil as [UInt8]?, position: position, sample: position)
        }
        switch head {
        case .maskedLanguageModel: packed.targets = .tokens(rows: rows, classes: rows.map { _ in 5 })
        case .regression: packed.targets = .values((0..<count).map { Float($0) - 1 })
        default: packed.targets = .classes((0..<count).map { Int32($0 % 3) })
        }
        return packed
    }

    private static func work(_ job: Job, _ model: BERTModel, lanes: Range<Int>) -> LaneWork {
        func batch(_ count: Int, _ stream: TaskStream, from first: Int) -> PackedBatch {
            Self.batch(
                count, stream, model.head(of: stream), from: first, length: model.shape.positions > 20 ? 200 : 2)
        }
        let batches = lanes.map { lane -> [PackedBatch] in
            let target = batch(2, .target, from: 3 * lane)
            switch job {
            case .accumulated: return (0..<3).map { batch(lane == 1 && $0 == 2 ? 0 : 1, .target, from: 5 * lane + $0) }
            case .accumulatedOneLane:
                return lane == lanes.upperBound - 1 ? [target, batch(1, .target, from: 90)] : [target]
            case .twoTasks, .maskedSource: return [target, batch(1, .source, from: 4 * lane)]
            case .sourceLast:
                let isLast = lane == lanes.upperBound - 1
                return [batch(isLast ? 0 : 2, .target, from: lane), batch(1, .source, from: 4 * lane)]
            case .lastLanesEmpty: return lane > lanes.lowerBound ? [] : [target]
            case .noSamples: return []
            default: return [target]
            }
        }
        return LaneWork(
            firstLane: lanes.lowerBound, lanes: batches, lossScale: 1.0 / 9, sourceScale: 0.25,
            dropout: DropoutContext(model.shape, key: DropoutKey(seed: 5, step: 1), adapter: 0.1))
    }

    private static func bits(_ values: FloatView) -> [UInt32] { values.array.map(\.bitPattern) }

    /// One block, and several.
    @Test(arguments: Job.allCases, [0..<4, 4..<7, 1..<8])
    func `what is declared final stays, each element once, and the bits are as without`(
        job: Job, lanes: Range<Int>
    ) throws {
        let model = Self.model(job)
        let parameters = FloatBuffer(count: model.layout.count)
        for place in 0..<parameters.count { parameters.view[place] = Float((place * 7_919) % 1_000) / 5_000 - 0.1 }
        let work = Self.work(job, model, lanes: lanes)
        let count = model.layout.denseCount
        let blocks = ReductionTree(laneCount: 8).blocks(covering: lanes).count
        func runner() -> LaneRunner {
            LaneRunner(model: model, laneCount: 8, threads: 2, recompute: job == .recomputed)
        }
        func targets() -> [FloatView] {
            (0..<blocks).map { _ in
                let view = FloatBuffer(count: count).view
                view.fill(.nan)
                return view
            }
        }
        let plain = targets()
        _ = runner().run(work, parameters: parameters.view, into: plain)
        let found = targets()
        var declared: [(range: Range<Int>, values: [[UInt32]])] = []
        _ = runner().run(
            work, parameters: parameters.view, into: found,
            whenFinal: { range in declared.append((range, found.map { Self.bits($0[range]) })) })
        #expect(plain.map(Self.bits) == found.map(Self.bits))
        for (range, values) in declared {
            #expect(values == found.map { Self.bits($0[range]) }, "\(range) of \(count)")
        }
        let all = declared.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
        guard job != .noSamples else { return #expect(all.isEmpty) }
        #expect(all.flatMap { Array($0) }.elementsEqual(0..<count))
        #expect(declared.count > 1 || job == .headAlone)
        // The top of what lies in the order of the forward pass is first.
        let end = model.lateGradient ?? count
        if job != .adapters {
            #expect(declared.first?.range.upperBound == end)
            #expect(declared.last?.range.lowerBound == model.lateGradient ?? 0)
        }
    }
}
