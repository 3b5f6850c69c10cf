import BERT
import Foundation
import Kernels
import Synchronization
import Tensors
import Testing
import Transport
import TransportTesting

@testable import Collectives
@testable import Learning
@testable import Reduction

/// A model's gradients over any number of workers: the bits of one process, and the bytes of the page of formulas.
@Suite(.serialized) struct DistributedGradientTests {
    private static func model(_ head: Head) -> BERTModel {
        BERTModel(
            shape: BERTShape(
                vocabulary: 37, width: 8, layers: 1, heads: 2, feedForward: 12, positions: 20, types: 2, epsilon: 1e-6,
                activation: .gelu,
                hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02),
            head: head)
    }

    private static func parameters(_ model: BERTModel) -> FloatBuffer {
        let buffer = FloatBuffer(count: model.layout.count)
        for place in 0..<buffer.count { buffer.view[place] = Float((place * 7_919) % 1_000) / 2_500 - 0.2 }
        return buffer
    }

    /// All lanes of a step.
    private static func work(_ plan: StepPlan, _ model: BERTModel) -> LaneWork {
        let lanes = plan.lanes.map { batches in
            batches.map { samples in
                var packed = PackedBatch()
                var rows: [Int32] = []
                for planned in samples {
                    let sample = Int(planned.sample)
                    rows.append(Int32(packed.tokenCount))
                    packed.append(
                        ids: (0..<length(sample)).map { Int32((sample * 31 + $0 * 17) % 37) }, types: nil as [UInt8]?,
                        position: Int(planned.position),
                        sample: sample)
                }
                switch model.head {
                case .maskedLanguageModel: packed.targets = .tokens(rows: rows, classes: samples.map { $0.sample % 37 })
                default: packed.targets = .classes(samples.map { $0.sample % 3 })
                }
                return packed
            }
        }
        return LaneWork(
            firstLane: 0, lanes: lanes, lossScale: Float(1 / Double(plan.sampleCount)),
            dropout: DropoutContext(model.shape, key: DropoutKey(seed: 5, step: plan.step)))
    }

    private static func length(_ sample: Int) -> Int { 1 + sample * 7 % 5 }

    /// Steps over whole batches of 1, 31 and 33, over a short batch that ends its epoch, and over fewer samples than
    /// lanes.
    private static func steps(lanes: Int) -> [StepPlan] {
        [(1, 1), (31, 1), (33, 1), (33, 2), (3, 1)].map { size, step in
            let plan = TrainingPlan(
                seed: 3, batchSize: size, accumulate: 1, laneCount: lanes, epochs: 1, maxSteps: nil,
                lengths: (0..<40).map { Int32(length($0)) })
            return plan.step(step, order: plan.order(ofEpoch: 1))
        }
    }

    private struct Gradient: Sendable, Equatable {
        var dense: [UInt32]
        var ids: [Int32]
        var rows: [UInt32]

        init(_ dense: [Float], _ rows: SparseRows?) {
            self.dense = dense.map(\.bitPattern)
            ids = rows?.ids ?? []
            self.rows = rows?.matrix.elements.array.map(\.bitPattern) ?? []
        }
    }

    private static func alone(_ work: LaneWork, _ model: BERTModel) -> Gradient {
        let block = LaneRunner(model: model, laneCount: work.lanes.count, threads: 1).run(
            work, parameters: parameters(model).view
        ).blocks[0]
        return Gradient(block.dense?.array ?? [], block.rows)
    }

    /// Every rank's sums of `steps`, each computed from its own lanes and the others' messages, on its own thread.
    private static func together(
        _ steps: [LaneWork], _ model: BERTModel, workers: Int, hosts: [Int]
    ) async -> [Result<[Gradient], any Error>] {
        let lanes = steps[0].lanes.count
        let parameters = parameters(model)
        let meshes = InMemoryMesh.world(size: workers)
        let results = Mutex([Result<[Gradient], any Error>?](repeating: nil, count: workers))
        let group = DispatchGroup()
        for rank in 0..<workers {
            group.enter()
            Thread {
                let result = Result { try serve(meshes[rank], lanes, hosts, steps, model, parameters) }
                results.withLock { $0[rank] = result }
                if case .failure = result { meshes[rank].close() }
                group.leave()
            }.start()
        }
        await withCheckedContinuation { continuation in group.notify(queue: .global()) { continuation.resume() } }
        return results.withLock { $0.compactMap { $0 } }
    }

    private static func serve(
        _ mesh: InMemoryMesh, _ lanes: Int, _ hosts: [Int], _ steps: [LaneWork], _ model: BERTModel,
        _ parameters: FloatBuffer
    ) throws -> [Gradient] {
        func limit() -> ContinuousClock.Instant { .now + .seconds(60) }
        let links = ExchangeLinks(mesh: mesh, generation: 1)
        let plan = ExchangePlan(
            laneCount: lanes, lanes: LaneAssignment(laneCount: lanes, workers: mesh.worldSize).lanes, hosts: hosts,
            count: model.layout.denseCount,
            rowWidth: model.layout.sparseTable == nil ? 0 : model.shape.width, frameElements: 1_000)
        var random = SystemRandomNumberGenerator()
        let memory = try HostMemory.establish(
            plan, links: links, step: 0, bucket: 0, deadline: limit(), generator: &random)
        let allReduce = AllReduce(plan: memory.plan, memory: memory.memory, links: links)
        let exchange = RowExchange(plan: memory.plan, links: links, memory: memory.memory)
        let runner = LaneRunner(model: model, laneCount: lanes, threads: 1)
        return try steps.enumerated().map { number, step in
            var own = step
            own.firstLane = plan.lanes[mesh.rank].lowerBound
            own.lanes = Array(step.lanes[plan.lanes[mesh.rank]])
            let blocks = runner.run(own, parameters: parameters.view, into: allReduce.blocks).blocks
            let empty = Set(step.lanes.indices.filter { step.lanes[$0].allSatisfy { $0.sentenceCount == 0 } })
            let before = links.counters.bytesSent
            exchange.publish(blocks.map(\.rows))
            let dense = try allReduce.run(step: UInt64(number + 1), emptyLanes: empty, deadline: limit())
            var expected = memory.plan.bytesSent(by: mesh.rank, memory.plan.sums(emptyLanes: empty))
            var rows: SparseRows?
            if model.layout.sparseTable != nil {
                let width = model.shape.width
                let sum = try exchange.run(
                    blocks.map(\.rows), width: width, rows: .max, step: UInt64(number + 1), bucket: 1, deadline: limit()
                )
                if !memory.plan.sharesRows {
                    expected += exchange.bytesSent(blocks.map { $0.rows?.ids ?? [] }, total: sum.ids, width: width)
                }
                rows = sum
            }
            #expect(links.counters.bytesSent - before == expected)
            let whole = FloatBuffer(count: model.layout.denseCount).view
            dense?.copy(into: whole)
            // A step begins when all have ended the one before.
            _ = try links.allGather([], step: UInt64(number + 1), bucket: 2, deadline: limit())
            return Gradient(whole.array, rows)
        }
    }

    @Test(arguments: 1...16)
    func `one to eight workers have the bits of one process for every batch size, over memory and over links`(
        lanes: Int
    ) async throws {
        let model = Self.model(.classification(labels: 3))
        let steps = Self.steps(lanes: lanes).map { Self.work($0, model) }
        let alone = steps.map { Self.alone($0, model) }
        for workers in 1...8 {
            // Each rank a host, all on one, or two hosts: the exchange's own tests have all of them for each size.
            let hosts = (0..<workers).map { [$0, 0, $0 % 2][(lanes + workers) % 3] }
            for result in await Self.together(steps, model, workers: workers, hosts: hosts) {
                #expect(try result.get() == alone, "\(workers) workers on hosts \(hosts)")
            }
        }
    }

    /// The lanes only group the additions: whatever their number, the sum is the gradient of the whole batch.
    @Test func `the sum over lanes is the gradient of the whole batch`() {
        let model = Self.model(.classification(labels: 3))
        let whole = Self.steps(lanes: 1).map { Self.alone(Self.work($0, model), model) }
        for lanes in 2...16 {
            for (plan, expected) in zip(Self.steps(lanes: lanes), whole) {
                let found = Self.alone(Self.work(plan, model), model)
                #expect(found.ids == expected.ids)
                for (a, b) in zip(found.dense + found.rows, expected.dense + expected.rows) {
                    let (x, y) = (Float(bitPattern: a), Float(bitPattern: b))
                    guard abs(x - y) <= 1e-5 * max(1, abs(y)) else { return #expect(x == y, "\(lanes) lanes") }
                }
            }
        }
    }

    @Test func `a head tied to the word table makes it part of the dense gradient`() async throws {
        let model = Self.model(.maskedLanguageModel)
        #expect(model.layout.sparseTable == nil)
        #expect(model.layout.denseCount == model.layout.count)
        let steps = Self.steps(lanes: 5).map { Self.work($0, model) }
        let alone = steps.map { Self.alone($0, model) }
        for workers in [2, 3, 5] {
            for result in await Self.together(steps, model, workers: workers, hosts: Array(0..<workers)) {
                #expect(try result.get() == alone)
            }
        }
    }
}
