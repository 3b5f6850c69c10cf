import BERT
import Tensors
import Testing

@testable import Configuration
@testable import Learning
@testable import Runs

@Suite struct StateWatchTests {
    private let job: SmallRun
    private let inputs: RunInputs

    init() throws {
        job = try SmallRun(samples: 24)
        inputs = try job.inputs { $0.batchSize = 8 }
    }

    /// A replica after some steps.
    private func replica(steps: Int = 3, threads: Int = 1, isWatched: Bool = true, freeze: [String] = []) throws
        -> Replica
    {
        let frozen = try FrozenParameters(freeze)
        let model = BERTModel(shape: inputs.model.shape, head: inputs.model.head, isFrozen: frozen.contains)
        let parameters = FloatBuffer(count: model.layout.count)
        parameters.view.copy(from: inputs.parameters.view)
        let replica = Replica(model: model, parameters: parameters, threads: threads, isWatched: isWatched)
        replica.trust(asOf: 0)
        let runner = LaneRunner(model: model, laneCount: inputs.plan.laneCount, threads: threads)
        for step in 1...steps {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: 1))
            let results = runner.run(
                LaneWork(plan, of: inputs.train, model: model, seed: 0), parameters: parameters.view)
            replica.apply(
                StepGradient(results.blocks[0]),
                inputs.optimizer.update(step: step, learningRate: 1e-3, gradientScale: 1))
        }
        return replica
    }

    @Test(arguments: [[], ["embeddings"], ["layers 0"]], [1, 3])
    func `the sums of what was written are those of what memory holds, on any number of threads`(
        freeze: [String], threads: Int
    ) throws {
        let replica = try replica(threads: threads, freeze: freeze)
        #expect(replica.hash == StateHash.of(replica.state, step: 3, threads: 1))
        #expect(replica.isIntact && replica.isIntact(rows: [5, 6, 7]))
        let other = try self.replica(freeze: freeze)
        #expect(other.hash == replica.hash)
        #expect(try self.replica(steps: 2, freeze: freeze).hash != replica.hash)
    }

    @Test func `the same state under another step has another hash`() throws {
        let replica = try replica()
        let hashes = (0...5).map { StateHash.of(replica.state, step: $0, threads: 1) }
        #expect(Set(hashes).count == hashes.count && hashes[3] == replica.hash && replica.step == 3)
        replica.trust(asOf: 2)
        #expect(replica.hash == hashes[2])
    }

    @Test func `watching changes no bit`() throws {
        let (watched, plain) = (try replica(), try replica(isWatched: false))
        #expect(watched.parameters.view.array == plain.parameters.view.array)
        #expect(
            watched.first.view.array == plain.first.view.array && watched.second.view.array == plain.second.view.array)
        #expect(plain.hash == 0 && plain.isIntact)
    }

    @Test func `a bit that flips in what a step reads is found, and every other one by looking at all`() throws {
        let replica = try replica()
        let table = try #require(replica.model.layout.sparseTable)
        let row = 100
        let rowStart = table.offset + row * table.shape[1]
        func flip(_ buffer: FloatBuffer, _ place: Int, _ bit: UInt32) {
            buffer.view[place] = Float(bitPattern: buffer.view[place].bitPattern ^ 1 << bit)
        }
        for (buffer, place, isRead) in [
            (replica.parameters, 3, true), (replica.parameters, table.offset - 1, true),
            (replica.parameters, rowStart, false),
            (replica.first, 17, false), (replica.second, replica.second.count - 1, false),
        ] {
            for bit: UInt32 in [0, 22, 31] {
                flip(buffer, place, bit)
                #expect(replica.isIntact(rows: [3]) == !isRead, "bit \(bit) of \(place)")
                #expect(!replica.isIntact)
                flip(buffer, place, bit)
            }
        }
        flip(replica.parameters, rowStart, 0)
        #expect(!replica.isIntact(rows: [3, Int32(row)]))
        flip(replica.parameters, rowStart, 0)
        #expect(replica.isIntact(rows: [3, Int32(row)]) && replica.isIntact)
    }

    @Test(arguments: [["encoder"], ["encoder", "pooler"]])
    func `over stored features pooler and head are all that is compared`(freeze: [String]) throws {
        let replica = try replica(freeze: freeze)
        let layout = replica.model.layout
        #expect(replica.isHeadIntact)
        for entry in layout.entries {
            let isRead = replica.model.depth(of: entry.name) > replica.model.shape.layers
            let value = replica.parameters.view[entry.offset]
            replica.parameters.view[entry.offset] = Float(bitPattern: value.bitPattern ^ 1)
            #expect(replica.isHeadIntact == !isRead, "\(entry.name)")
            #expect(!replica.isIntact)
            replica.parameters.view[entry.offset] = value
        }
        #expect(replica.isHeadIntact && replica.isIntact)
    }

    @Test func `a flipped moment leads to another hash after the next update`() throws {
        let (right, wrong) = (try replica(), try replica())
        wrong.first.view[5] = Float(bitPattern: wrong.first.view[5].bitPattern ^ 1)
        let update = inputs.optimizer.update(step: 4, learningRate: 1e-3, gradientScale: 1)
        for replica in [right, wrong] { replica.apply(StepGradient(dense: nil, rows: nil), update) }
        #expect(right.hash != wrong.hash)
        #expect(wrong.isIntact)
    }

    @Test func `the touched rows are part of the hash`() throws {
        let replica = try replica()
        let before = replica.hash
        let untouched = try #require((0..<206).first { !replica.touched.contains($0) })
        replica.touched.insert([Int32(untouched)])
        #expect(replica.hash != before)
    }
}
