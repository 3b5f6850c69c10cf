internal import Collectives
internal import Synchronization
package import BERT
internal import Kernels
package import Tensors

/// What a worker computes of one global batch: its lanes' packed sentences.
package struct LaneWork: Sendable {
    /// Number of the first lane; lanes follow each other.
    package var firstLane: Int
    /// The packed batches of each lane, one for each global batch of the step, the target task's first; empty where the lane has
    /// no samples.
    package var lanes: [[PackedBatch]]
    /// Factor on each sample's loss of the target task: its weight / its normalizer.
    package var lossScale: Float
    /// The same of the source task.
    package var sourceScale: Float
    package var dropout: DropoutContext?

    package init(firstLane: Int, lanes: [[PackedBatch]], lossScale: Float, sourceScale: Float = 0, dropout: DropoutContext?) {
        self.firstLane = firstLane
        self.lanes = lanes
        self.lossScale = lossScale
        self.sourceScale = sourceScale
        self.dropout = dropout
    }
}

/// The lanes' gradients added up block by block, and each lane's loss.
package struct LaneResults: Sendable {
    /// Sums of the maximal aligned blocks that make up the lanes, lowest first.
    package var blocks: [BlockGradient]
    /// Sums of sample losses of each lane.
    package var laneLosses: [LaneLoss]

    /// Of the target task.
    package var losses: [Double] { laneLosses.map(\.target) }
    package var sourceLosses: [Double] { laneLosses.map(\.source) }
}

/// The sum of one lane's sample losses, task by task.
package struct LaneLoss: Sendable, Equatable {
    package var target = 0.0
    package var source = 0.0
    package var isFinite: Bool { target.isFinite && source.isFinite }
}

/// Computes lanes on this process's threads.
package final class LaneRunner: Sendable {
    package let model: BERTModel
    package let threads: Int
    package let laneCount: Int
    /// Whether a lane's activations are computed again in its backward pass instead of kept.
    package let recompute: Bool
    package let pool: BufferPool
    private let arenas: Mutex<[SendableArena]>

    /// An arena on its way between threads. @unchecked: at any time one thread holds it, taken off the list under its lock.
    private struct SendableArena: @unchecked Sendable {
        let arena: Arena
    }

    package init(model: BERTModel, laneCount: Int, threads: Int, recompute: Bool = false) {
        self.model = model
        self.threads = threads
        self.laneCount = laneCount
        self.recompute = recompute
        pool = BufferPool(size: model.layout.denseCount)
        arenas = Mutex([])
    }

    /// Lends an arena to `body` on the calling thread.
    package func withArena<Result>(_ body: (Arena) -> Result) -> Result {
        let lent = arenas.withLock { $0.popLast() } ?? SendableArena(arena: Arena())
        defer { arenas.withLock { $0.append(lent) } }
        lent.arena.reset()
        return body(lent.arena)
    }

    /// Bytes held in arenas.
    package var arenaBytes: Int { arenas.withLock { $0.reduce(0) { $0 + $1.arena.byteCount } } }

    /// The gradients of the lanes of `work`, each lane computed whole by one thread, added in the order of the reduction tree.
    ///
    /// - Parameter targets: memory in which each block's sum is to end, in the order of the blocks; otherwise it is the pool's.
    package func run(
        _ work: LaneWork, parameters: FloatView, into targets: [FloatView]? = nil, observe: StageObserver? = nil
    ) -> LaneResults {
        let tree = ReductionTree(laneCount: laneCount)
        let lanes = work.firstLane..<(work.firstLane + work.lanes.count)
        let whole = tree.blocks(covering: lanes).map(\.lanes)
        let pieces = whole.flatMap { split($0, tree, into: (lanes.count + threads - 1) / threads) }
        let losses = Mutex([LaneLoss](repeating: LaneLoss(), count: lanes.count))
        let done = Mutex([BlockGradient?](repeating: nil, count: pieces.count))
        let places = Self.places(of: targets, work, whole)
        let job = Job(runner: self, tree: tree, work: work, parameters: parameters, targets: places, observe: observe)
        if observe != nil || threads == 1 {
            for (place, piece) in pieces.enumerated() {
                let result = job.block(piece)
                done.withLock { $0[place] = result.gradient }
                losses.withLock { $0.replaceSubrange(job.places(piece), with: result.losses) }
            }
        } else {
            let quiet = QuietJob(runner: self, tree: tree, work: work, parameters: parameters, targets: places)
            inParallel(pieces.count, threads: threads) { place, _ in
                let result = quiet.job.block(pieces[place])
                done.withLock { $0[place] = result.gradient }
                losses.withLock { $0.replaceSubrange(quiet.job.places(pieces[place]), with: result.losses) }
            }
        }
        let sums = done.withLock { $0.compactMap { $0 } }
        return LaneResults(blocks: whole.map { combine($0, tree, sums) }, laneLosses: losses.withLock { $0 })
    }

    /// The lane whose gradient begins each block's sum, the first with samples, and where it is to lie.
    private static func places(of targets: [FloatView]?, _ work: LaneWork, _ blocks: [Range<Int>]) -> [Int: FloatView] {
        guard let targets else { return [:] }
        precondition(targets.count == blocks.count, "\(targets.count) places for \(blocks.count) blocks")
        var places: [Int: FloatView] = [:]
        for (block, target) in zip(blocks, targets) {
            if let first = block.first(where: { lane in work.lanes[lane - work.firstLane].contains { $0.sentenceCount > 0 } }) {
                places[first] = target
            }
        }
        return places
    }

    /// Blocks of at most `limit` lanes that make up `lanes`.
    private func split(_ lanes: Range<Int>, _ tree: ReductionTree, into limit: Int) -> [Range<Int>] {
        guard lanes.count > limit, lanes.count > 1 else { return [lanes] }
        let middle = tree.middle(of: lanes)
        return split(lanes.lowerBound..<middle, tree, into: limit) + split(middle..<lanes.upperBound, tree, into: limit)
    }

    /// Adds the blocks that make up `lanes`, in the order of the tree.
    private func combine(_ lanes: Range<Int>, _ tree: ReductionTree, _ blocks: [BlockGradient]) -> BlockGradient {
        if let found = blocks.first(where: { $0.lanes == lanes }) { return found }
        let middle = tree.middle(of: lanes)
        return combine(combine(lanes.lowerBound..<middle, tree, blocks), combine(middle..<lanes.upperBound, tree, blocks))
    }

    /// `left + right`, into the left one's buffer.
    private func combine(_ left: BlockGradient, _ right: BlockGradient) -> BlockGradient {
        BlockGradient.sum(left, right) { from, into in
            let chunk = 16 * BlockSum.size
            inParallel((into.count + chunk - 1) / chunk, threads: threads) { piece, _ in
                let range = (piece * chunk)..<min((piece + 1) * chunk, into.count)
                add(from[range], to: into[range])
            }
            pool.give(back: from)
        }
    }

    /// A job that nobody observes may run on several threads.
    private struct QuietJob: Sendable {
        let runner: LaneRunner
        let tree: ReductionTree
        let work: LaneWork
        let parameters: FloatView
        let targets: [Int: FloatView]
        var job: Job { Job(runner: runner, tree: tree, work: work, parameters: parameters, targets: targets, observe: nil) }
    }
}

/// One step's lanes of one worker.
private struct Job {
    let runner: LaneRunner
    let tree: ReductionTree
    let work: LaneWork
    let parameters: FloatView
    let targets: [Int: FloatView]
    let observe: StageObserver?

    func places(_ lanes: Range<Int>) -> Range<Int> { (lanes.lowerBound - work.firstLane)..<(lanes.upperBound - work.firstLane) }

    /// The sum of a block's lanes, computed one after another by the calling thread.
    func block(_ lanes: Range<Int>) -> (gradient: BlockGradient, losses: [LaneLoss]) {
        if lanes.count == 1 { return lane(lanes.lowerBound, onto: nil) }
        let middle = tree.middle(of: lanes)
        let left = block(lanes.lowerBound..<middle)
        if lanes.upperBound - middle == 1 {
            let both = lane(middle, onto: left.gradient)
            return (both.gradient, left.losses + both.losses)
        }
        let right = block(middle..<lanes.upperBound)
        return (serialSum(left.gradient, right.gradient), left.losses + right.losses)
    }

    private func serialSum(_ left: BlockGradient, _ right: BlockGradient) -> BlockGradient {
        BlockGradient.sum(left, right) { from, into in
            Kernels.add(from, to: into)
            runner.pool.give(back: from)
        }
    }

    /// One lane, alone or added onto the block before it.
    private func lane(_ lane: Int, onto left: BlockGradient?) -> (gradient: BlockGradient, losses: [LaneLoss]) {
        let batches = work.lanes[lane - work.firstLane].filter { $0.sentenceCount > 0 }
        let lanes = (left?.lanes.lowerBound ?? lane)..<(lane + 1)
        if let left, batches.count > 1 {
            // The lane's own sum comes first; only then is it added to its neighbour.
            let own = self.lane(lane, onto: nil)
            return (serialSum(left, own.gradient), own.losses)
        }
        var sum = BlockGradient(lanes: lanes, dense: left?.dense, rows: left?.rows)
        var loss = LaneLoss()
        for batch in batches {
            let own = add(batch, of: lane, to: &sum)
            if batch.stream == .target { loss.target += own } else { loss.source += own }
        }
        return (sum, [loss])
    }

    /// Adds one packed batch's gradient to `sum` and returns its loss.
    private func add(_ batch: PackedBatch, of lane: Int, to sum: inout BlockGradient) -> Double {
        let buffer = sum.dense ?? targets[lane] ?? runner.pool.take()
        return runner.withArena { arena in
            let sink = GradientSink(
                layout: runner.model.layout, dense: buffer, mode: sum.dense == nil ? .overwrite : .add, arena: arena)
            let isTarget = batch.stream == .target
            let loss = runner.model.laneGradient(
                batch, parameters: parameters, lossScale: isTarget ? work.lossScale : work.sourceScale,
                dropout: isTarget ? work.dropout : work.dropout?.of(.source), recompute: runner.recompute, sink: sink, arena: arena, observe: observe)
            sum.dense = buffer
            sum.rows = SparseRows.sum(sum.rows, sink.rows)
            return loss
        }
    }
}
