import BERT
import Kernels
import Tensors
import Testing

@testable import Learning

@Suite struct LaneRunnerTests {
    private static let shape = BERTShape(
        vocabulary: 37, width: 24, layers: 2, heads: 3, feedForward: 40, positions: 20, types: 2, epsilon: 1e-6,
        activation: .gelu,
        hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02)
    private static let model = BERTModel(shape: shape, head: .classification(labels: 3))

    private static func sentence(_ position: Int) -> [Int32] {
        (0..<(1 + position * 7 % 12)).map { Int32((position * 31 + $0 * 17) % 37) }
    }

    /// Deals `samples` sentences to lanes one after another, in `micro` global batches.
    private static func work(samples: Int, lanes: Int, micro: Int = 1) -> LaneWork {
        let batches = (0..<lanes).map { lane in
            (0..<micro).map { batch in
                let members = (0..<samples).filter { $0 % lanes == lane && $0 / lanes % micro == batch }
                var packed = PackedBatch()
                for position in members {
                    packed.append(ids: sentence(position), types: nil as [UInt8]?, position: position, sample: position)
                }
                packed.targets = .classes(members.map { Int32($0 % 3) })
                return packed
            }
        }
        return LaneWork(
            firstLane: 0, lanes: batches, lossScale: Float(1 / Double(samples)),
            dropout: DropoutContext(shape, key: DropoutKey(seed: 5, step: 1)))
    }

    private static var parameters: FloatBuffer {
        let buffer = FloatBuffer(count: model.layout.count)
        for place in 0..<buffer.count { buffer.view[place] = Float((place * 7_919) % 1_000) / 5_000 - 0.1 }
        return buffer
    }

    private func bits(_ block: BlockGradient) -> [UInt32] {
        (block.dense?.array ?? []).map(\.bitPattern) + (block.rows?.matrix.elements.array ?? []).map(\.bitPattern)
    }

    @Test(arguments: 1...16)
    func threadsDoNotChangeTheBits(lanes: Int) {
        let parameters = Self.parameters
        for (samples, micro) in [(33, 1), (5, 1), (31, 3)] {
            let work = Self.work(samples: samples, lanes: lanes, micro: micro)
            let one = LaneRunner(model: Self.model, laneCount: lanes, threads: 1).run(work, parameters: parameters.view)
            for threads in [2, 3, 8] {
                let many = LaneRunner(model: Self.model, laneCount: lanes, threads: threads).run(
                    work, parameters: parameters.view)
                #expect(many.losses == one.losses)
                #expect(bits(many.blocks[0]) == bits(one.blocks[0]))
            }
        }
    }

    @Test func `the weights of one state are packed once for evaluations, and again after training or an update`() {
        let model = BERTModel(shape: Self.shape, head: .classification(labels: 3), precision: .bf16)
        let replica = Replica(model: model, parameters: Self.parameters, threads: 1)
        let runner = LaneRunner(model: model, laneCount: 2, threads: 1)
        func pack() -> Int {
            _ = runner.weights(replica.parameters.view, trains: false, state: replica.version)
            return runner.packings
        }
        #expect([pack(), pack(), pack()] == [1, 1, 1])
        let results = runner.run(Self.work(samples: 4, lanes: 2), parameters: replica.parameters.view)
        #expect([runner.packings, pack(), pack()] == [2, 3, 3])
        let update = OptimizerSettings(kind: .adam, weightDecay: 0, maxGradientNorm: nil).update(
            step: 1, learningRate: 1e-3, gradientScale: 1)
        replica.apply(StepGradient(results.blocks[0]), update)
        #expect([pack(), pack()] == [4, 4])
        replica.trust(asOf: 0)
        #expect([pack(), pack()] == [5, 5])
    }

    /// The team is called a number of times that depends on the layers, not on samples, lanes or threads.
    @Test(arguments: [(8, 1), (8, 8), (33, 4), (33, 16)])
    func `a pass divides its work a bounded number of times`(samples: Int, lanes: Int) {
        Team.divideEverything()
        let parameters = Self.parameters
        let work = Self.work(samples: samples, lanes: lanes)
        for threads in [2, 8] {
            let runner = LaneRunner(model: Self.model, laneCount: lanes, threads: threads)
            let before = Team.forks
            _ = runner.run(work, parameters: parameters.view)
            let forks = Team.forks - before
            #expect(forks > 0 && forks <= 36 * Self.shape.layers + 30, "\(forks)")
        }
    }

    /// Any contiguous share of the lanes gives the blocks of the tree; joined in its order they are the single
    /// process's sum.
    @Test(arguments: 1...9)
    func sharesOfLanesJoinToTheSameBits(lanes: Int) {
        let parameters = Self.parameters
        let work = Self.work(samples: 20, lanes: lanes)
        let runner = LaneRunner(model: Self.model, laneCount: lanes, threads: 2)
        let whole = bits(runner.run(work, parameters: parameters.view).blocks[0])
        for cut in 1..<max(2, lanes) where cut < lanes {
            var (left, right) = (work, work)
            left.lanes = Array(work.lanes[..<cut])
            right.lanes = Array(work.lanes[cut...])
            right.firstLane = cut
            let blocks =
                runner.run(left, parameters: parameters.view).blocks
                + runner.run(right, parameters: parameters.view).blocks
            #expect(bits(join(0..<lanes, blocks)) == whole)
        }
    }

    private func join(_ lanes: Range<Int>, _ blocks: [BlockGradient]) -> BlockGradient {
        if let block = blocks.first(where: { $0.lanes == lanes }) { return block }
        var half = 1
        while half * 2 < lanes.count { half *= 2 }
        let middle = lanes.lowerBound + half
        let pool = BufferPool(size: Self.model.layout.denseCount)
        return BlockGradient.sum(join(lanes.lowerBound..<middle, blocks), join(middle..<lanes.upperBound, blocks), pool)
        { add($0, to: $1) }
    }

    /// The reference's accumulation: the loss is a mean over all samples of the step, however they are cut.
    @Test(arguments: [2, 3, 5])
    func accumulatedBatchesGiveTheGradientOfTheWholeBatch(micro: Int) throws {
        let parameters = Self.parameters
        for lanes in [1, 2] {
            let runner = LaneRunner(model: Self.model, laneCount: lanes, threads: 2)
            let whole = runner.run(Self.work(samples: 11, lanes: lanes), parameters: parameters.view)
            let cut = runner.run(Self.work(samples: 11, lanes: lanes, micro: micro), parameters: parameters.view)
            #expect(abs(whole.losses.reduce(0, +) - cut.losses.reduce(0, +)) < 1e-5)
            let (a, b) = (try #require(whole.blocks[0].dense).array, try #require(cut.blocks[0].dense).array)
            #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-6 })
            let (first, second) = (try #require(whole.blocks[0].rows), try #require(cut.blocks[0].rows))
            #expect(first.ids == second.ids)
            #expect(zip(first.matrix.elements.array, second.matrix.elements.array).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    /// Activations computed a second time are those of the first: dropout's masks come from their key.
    @Test(arguments: [1, 2, 3])
    func recomputingChangesNoBit(threads: Int) {
        let parameters = Self.parameters
        let work = Self.work(samples: 17, lanes: 4, micro: 2)
        let runners = [false, true].map { LaneRunner(model: Self.model, laneCount: 4, threads: threads, recompute: $0) }
        let results = runners.map { $0.run(work, parameters: parameters.view) }
        #expect(results[1].losses == results[0].losses)
        #expect(bits(results[1].blocks[0]) == bits(results[0].blocks[0]))
    }

    /// A run's result memory is reused, but not while it is referenced.
    @Test(arguments: [1, 3])
    func aResultThatIsKeptStaysAsItIs(threads: Int) {
        let parameters = Self.parameters
        let runner = LaneRunner(model: Self.model, laneCount: 4, threads: threads)
        let works = [17, 9, 20].map { Self.work(samples: $0, lanes: 4) }
        let kept = works.map { runner.run($0, parameters: parameters.view) }
        for (work, result) in zip(works, kept) {
            let alone = LaneRunner(model: Self.model, laneCount: 4, threads: 1).run(work, parameters: parameters.view)
            #expect(bits(result.blocks[0]) == bits(alone.blocks[0]))
            #expect(result.laneLosses == alone.laneLosses)
        }
        // Given back, though `kept` still has them: the next run may not write there.
        for result in kept { runner.pool.rows.give(back: result.blocks[0].rows) }
        let before = kept.map { $0.blocks[0].rows.map { $0.matrix.elements.array.map(\.bitPattern) } }
        _ = runner.run(works[2], parameters: parameters.view)
        #expect(kept.map { $0.blocks[0].rows.map { $0.matrix.elements.array.map(\.bitPattern) } } == before)
    }

    @Test func emptyLanesAddNothing() {
        let parameters = Self.parameters
        let runner = LaneRunner(model: Self.model, laneCount: 8, threads: 2)
        let results = runner.run(Self.work(samples: 3, lanes: 8), parameters: parameters.view)
        #expect(results.losses[3...].allSatisfy { $0 == 0 })
        var alone = Self.work(samples: 3, lanes: 8)
        alone.lanes = alone.lanes.map { _ in [] }
        let nothing = runner.run(alone, parameters: parameters.view)
        #expect(nothing.blocks[0].dense == nil && nothing.blocks[0].rows == nil)
    }

    @Test func anUpdateIsTheSameOnAnyNumberOfThreadsAndSkipsUntouchedRows() {
        let work = Self.work(samples: 6, lanes: 2)
        var results: [[UInt32]] = []
        for threads in [1, 2, 5] {
            let replica = Replica(model: Self.model, parameters: Self.parameters, threads: threads)
            let runner = LaneRunner(model: Self.model, laneCount: 2, threads: threads)
            let settings = OptimizerSettings(kind: .adamw, weightDecay: 0, maxGradientNorm: 1)
            for step in 1...3 {
                let sum = runner.run(work, parameters: replica.parameters.view).blocks[0]
                let scale = settings.clippingFactor(norm: replica.norm(of: StepGradient(sum)))
                replica.apply(StepGradient(sum), settings.update(step: step, learningRate: 0.01, gradientScale: scale))
                runner.pool.give(back: sum.dense)
            }
            results.append(replica.parameters.view.array.map(\.bitPattern))
            let touched = Set((0..<6).flatMap(Self.sentence))
            #expect(replica.touched.count == touched.count)
            guard let table = Self.model.layout.sparseTable else { continue }
            let before = Self.parameters
            for row in 0..<37 where !touched.contains(Int32(row)) {
                let range = (table.offset + row * 24)..<(table.offset + row * 24 + 24)
                #expect(replica.parameters.view[range].array == before.view[range].array)
            }
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }
}
