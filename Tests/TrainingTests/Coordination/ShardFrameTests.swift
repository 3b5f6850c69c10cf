import BERT
import Foundation
import Testing
import TextData

@testable import Coordination
@testable import Learning

@Suite struct ShardFrameTests {
    private func samples(_ numbers: [Int32]) -> [PlannedSample] {
        numbers.enumerated().map { PlannedSample(sample: $1, position: UInt32($0 * 3)) }
    }

    @Test(arguments: [false, true])
    func `what is encoded is decoded to the very batch that one process packs`(pairs: Bool) throws {
        let inputs = try SmallRun(samples: 9, pairs: pairs).inputs()
        for numbers in [[], [4], [8, 0, 3, 3, 1]] as [[Int32]] {
            let bytes = ShardFrame.encode(samples(numbers), of: inputs.train, step: 1, withTypes: pairs)
            let packed = try #require(ShardFrame.decode(bytes, count: UInt64(numbers.count), run: inputs.description))
            let local = PackedBatch(samples(numbers), of: inputs.train)
            #expect(packed.ids == local.ids && packed.types == local.types && packed.offsets == local.offsets)
            #expect(
                packed.batchPositions == local.batchPositions && packed.samples == local.samples
                    && packed.targets == local.targets)
        }
    }

    @Test func `a dataset without types fits a run that has them`() throws {
        let inputs = try SmallRun(samples: 3).inputs()
        var run = inputs.description
        run.hasTypes = true
        let bytes = ShardFrame.encode(samples([0, 2]), of: inputs.train, step: 1, withTypes: true)
        #expect(
            ShardFrame.decode(bytes, count: 2, run: run)?.types == PackedBatch(samples([0, 2]), of: inputs.train).types)
    }

    @Test func `a wrong count is refused, however large`() throws {
        let inputs = try SmallRun(samples: 3).inputs()
        let bytes = ShardFrame.encode(samples([0, 1, 2]), of: inputs.train, step: 1, withTypes: false)
        for count in [0, 1, 2, 4, 1 << 40, UInt64(Int.max) + 1, .max] {
            #expect(ShardFrame.decode(bytes, count: count, run: inputs.description) == nil)
        }
    }

    /// A mutated frame that is accepted must be something that the model can compute.
    @Test(arguments: [false, true])
    func `of mutated frames nothing out of bounds is accepted`(pairs: Bool) throws {
        let inputs = try SmallRun(samples: 6, pairs: pairs).inputs()
        let run = inputs.description
        let whole = ShardFrame.encode(samples([0, 1, 2, 3, 4, 5]), of: inputs.train, step: 1, withTypes: pairs)
        var numbers = SeededNumbers(state: pairs ? 2 : 1)
        var accepted = 0
        for _ in 0..<50_000 {
            var bytes = whole
            var count = UInt64(6)
            for _ in 0...Int.random(in: 0..<3, using: &numbers) {
                switch Int.random(in: 0..<5, using: &numbers) {
                case 0: bytes.removeLast(min(bytes.count, Int.random(in: 1..<40, using: &numbers)))
                case 1:
                    bytes.append(
                        contentsOf: (0..<Int.random(in: 1..<40, using: &numbers)).map { UInt8(truncatingIfNeeded: $0) })
                case 2:
                    count = UInt64.random(in: 0 ... .max, using: &numbers) >> UInt64.random(in: 0..<64, using: &numbers)
                default:
                    guard !bytes.isEmpty else { continue }
                    bytes[Int.random(in: 0..<bytes.count, using: &numbers)] ^=
                        1 << UInt8.random(in: 0..<8, using: &numbers)
                }
            }
            guard let batch = ShardFrame.decode(bytes, count: count, run: run) else { continue }
            accepted += 1
            let isWhole =
                batch.ids.allSatisfy { (0..<Int32(run.shape.vocabulary)).contains($0) }
                && batch.types.count == batch.ids.count && batch.types.allSatisfy { $0 < run.shape.types }
                && batch.positions.allSatisfy { (0..<Int32(run.shape.positions)).contains($0) }
                && batch.samples.allSatisfy { $0 >= 0 } && UInt64(batch.sentenceCount) == count
            var classes: [Int32] = []
            if case .classes(let found) = batch.targets { classes = found }
            guard isWhole, classes.count == batch.sentenceCount, classes.allSatisfy({ (0..<3).contains($0) }) else {
                Issue.record("accepted \(bytes) as \(count) samples")
                return
            }
        }
        // Most flips change a word or a position, which no receiver can know to be wrong.
        #expect(accepted > 1_000)
    }

    @Test func `the digest tells samples, positions and their order apart`() {
        let plan = [samples([3, 1, 4]), samples([5])]
        let digest = SampleDigest.of(plan)
        #expect(digest == SampleDigest.of([samples([3, 1, 4]) + samples([5])]))
        for other in [
            [samples([1, 3, 4]), samples([5])], [samples([3, 1, 4])], [samples([3, 1, 4, 5])],
            [samples([3, 1, 4]), samples([5, 5])], [],
        ] {
            #expect(SampleDigest.of(other) != digest)
        }
    }
}

/// Samples of every kind of head on their way.
@Suite struct TaskFrameTests {
    private let small: SmallRun
    private let tokenizer: WordPieceTokenizer

    init() throws {
        small = try SmallRun(samples: 6)
        tokenizer = try WordPieceTokenizer(folder: URL(filePath: small.folder))
    }

    private func dataset(_ labels: SampleLabels) throws -> TokenizedDataset {
        let rows = try Dataset(path: "\(small.folder)/train.tsv", labels: .unwanted)
        return TokenizedDataset(rows, tokenizer: tokenizer, maxLength: 20, labels: labels, threads: 1)
    }

    private func expectSame(_ dataset: TokenizedDataset, _ head: Head, stream: TaskStream = .target) throws {
        var run = try small.inputs().description
        if stream == .target { run.head = head } else { run.source = SourceHead(head: head, sharedLayers: 1) }
        let samples = [4, 0, 5].map { PlannedSample(sample: $0, position: UInt32($0) + 2) }
        let bytes = ShardFrame.encode(samples, of: dataset, step: 3, withTypes: false)
        let packed = try #require(ShardFrame.decode(bytes, count: 3, run: run, stream: stream))
        let local = PackedBatch(samples, of: dataset, step: 3, stream: stream)
        #expect(
            packed.ids == local.ids && packed.targets == local.targets && packed.stream == stream
                && packed.samples == local.samples)
        #expect(ShardFrame.decode(bytes, count: 2, run: run, stream: stream) == nil)
        #expect(ShardFrame.decode(Array(bytes.dropLast(4)), count: 3, run: run, stream: stream) == nil)
        // A head with fewer outputs refuses targets beyond them.
        if case .regression = head {
            run.head = .regression(targets: 3)
        } else {
            run.head = .tokenClassification(labels: 1)
        }
        if stream == .target { #expect(ShardFrame.decode(bytes, count: 3, run: run) == nil) }
    }

    @Test func `numbers, labels, classes and hidden words arrive as they were packed`() throws {
        let masking = try #require(WordMasking(tokenizer.vocabulary, seed: 1, stream: 1, wholeWords: false))
        try expectSame(dataset(.values((0..<12).map { Float($0) / 4 }, width: 2)), .regression(targets: 2))
        try expectSame(dataset(.values((0..<12).map { Float($0 % 2) }, width: 2)), .multiLabel(labels: 2))
        try expectSame(dataset(.masked(masking)), .maskedLanguageModel)
        try expectSame(dataset(.masked(masking)), .maskedLanguageModel, stream: .source)
        try expectSame(dataset(.classes([0, 1, 2, 0, 1, 1])), .classification(labels: 3), stream: .source)
        let words = TokenizedDataset(
            words: (0..<6).map { row in (0...row).map { "w\($0)" } }, tokenizer: tokenizer,
            maxLength: 20, wordClasses: (0..<6).map { row in (0...row).map { Int32($0 % 3) } }, threads: 2)
        try expectSame(words, .tokenClassification(labels: 3))
    }

    @Test func `a source batch is refused where there is no source task`() throws {
        let run = try small.inputs().description
        let bytes = ShardFrame.encode(
            [PlannedSample(sample: 0, position: 0)], of: try dataset(.classes([0, 0, 0, 0, 0, 0])), step: 1,
            withTypes: false)
        #expect(ShardFrame.decode(bytes, count: 1, run: run, stream: .source) == nil)
    }
}
