package import BERT
internal import Kernels
internal import Reduction
internal import Synchronization
package import Tensors

/// The lanes' gradients added up block by block, and each lane's loss.
package struct LaneResults: Sendable {
    /// Sums of the maximal aligned blocks that make up the lanes, lowest first.
    package var blocks: [BlockGradient]
    /// Sums of sample losses of each lane.
    package var laneLosses: [LaneLoss]

    /// Of the target task.
    package var losses: [Double] { laneLosses.map(\.target) }
    package var sourceLosses: [Double] { laneLosses.map(\.source) }
    package var lossSum: Double { laneLosses.reduce(0) { $0 + $1.target } }
    package var sourceLossSum: Double { laneLosses.reduce(0) { $0 + $1.source } }
}

/// Computes lanes with this process's threads.
package final class LaneRunner: Sendable {
    package let model: BERTModel
    package let threads: Int
    package let laneCount: Int
    /// Whether a lane's activations are recomputed in its backward pass instead of kept.
    package let recompute: Bool
    package let pool: BufferPool
    private let places: Mutex<[SendablePlace]>
    private let lists = Mutex(Lists())
    private let pairMemory = Mutex(PairMemory())

    /// A thread's reusable memory.
    fileprivate struct Place {
        let arena: Arena
        let memory: LaneMemory
        let sink: GradientSink
    }

    /// Memory that moves between threads. @unchecked: at any time one thread owns it, taken from the list under its
    /// lock.
    private struct SendablePlace: @unchecked Sendable {
        let place: Place
    }

    /// Lists of one run, reused in the next.
    private struct Lists {
        /// The lanes of these lists, their blocks, and the parts that threads compute.
        var lanes = 0..<0
        var whole: [Range<Int>] = []
        var pieces: [Range<Int>] = []
        /// What each part was computed to.
        var done: [Part] = []
        /// Sums of blocks, and the lanes' losses.
        var blocks: [BlockGradient] = []
        var losses: [LaneLoss] = []
    }

    /// The sum and the losses of the lanes that one thread computes.
    private struct Part {
        var sum: BlockGradient?
        var losses = LaneLosses()
    }

    package init(model: BERTModel, laneCount: Int, threads: Int, recompute: Bool = false) {
        self.model = model
        self.threads = threads
        self.laneCount = laneCount
        self.recompute = recompute
        pool = BufferPool(size: model.layout.denseCount)
        places = Mutex([])
    }

    /// The weights as a pass reads them, rounded and packed now if the model computes in bf16. They are valid until the
    /// next call, whose memory is the same.
    /// - Parameter state: of this runner's parameters, see ``Replica/version``; they are packed once for it.
    package func weights(_ parameters: FloatView, trains: Bool, state: Int? = nil) -> Weights {
        pairMemory.withLock { memory in
            Team.with(threads: threads) { model.weights(parameters, trains: trains, state: state, memory: memory) }
        }
    }

    /// How often weights were packed.
    package var packings: Int { pairMemory.withLock { $0.packings } }

    /// Lends an arena to `body` on the calling thread.
    package func withArena<Result>(_ body: (Arena) -> Result) -> Result { withPlace { body($0.arena) } }

    fileprivate func withPlace<Result>(_ body: (Place) -> Result) -> Result {
        let lent = places.withLock { $0.popLast() } ?? SendablePlace(place: newPlace())
        defer { places.withLock { $0.append(lent) } }
        lent.place.arena.reset()
        Arithmetic.setFloatEnvironment()
        return body(lent.place)
    }

    private func newPlace() -> Place {
        let arena = Arena()
        return Place(
            arena: arena, memory: LaneMemory(spareRows: pool.rows),
            sink: GradientSink(layout: model.layout, arena: arena))
    }

    /// The gradients of the lanes of `work`, added in the order of the reduction tree.
    ///
    /// As many lanes as fit are packed together and computed by all threads; with products of a library, whose bits
    /// depend on the rows of a batch, each lane is computed by one thread.
    /// One run at a time. Its result is reused in the next one unless it is still referenced.
    /// - Parameters:
    ///   - targets: buffers that receive the blocks' sums, in the order of the blocks; nil takes them from the pool.
    ///   - whenFinal: told, by the calling thread, ranges of all `targets` that this run writes no more, each element
    ///     at most once; at its end all are final. Not called with products of a library.
    package func run(
        _ work: LaneWork, parameters: FloatView, into targets: [FloatView]? = nil, observe: StageObserver? = nil,
        whenFinal: ((Range<Int>) -> Void)? = nil
    ) -> LaneResults {
        let tree = ReductionTree(laneCount: laneCount)
        let lanes = work.firstLane..<(work.firstLane + work.lanes.count)
        let together = BLAS.current == .own
        let (whole, pieces) = begin(lanes, tree, threads: together ? 1 : threads)
        let job = Job(
            runner: self, tree: tree, work: work, weights: weights(parameters, trains: true),
            targets: Self.places(of: targets, work, whole), joins: together && model.joinsLanes, observe: observe,
            last: together ? whenFinal.flatMap { LastPass(of: work, whenFinal: $0) } : nil)
        func compute(_ piece: Int) {
            // The memory of the part's last run. Only this thread writes there.
            var part = lists.withLock { lists in
                defer { lists.done[piece] = Part() }
                return lists.done[piece]
            }
            part.losses.begin(pieces[piece])
            part.sum = job.block(pieces[piece], &part.losses)
            lists.withLock { $0.done[piece] = part }
        }
        if together {
            Team.with(threads: threads) { for piece in pieces.indices { compute(piece) } }
        } else {
            Team.run(pieces.count, threads: observe == nil ? threads : 1, compute)
        }
        return lists.withLock { lists in
            for block in whole { lists.blocks.append(combine(block, tree, lists.done)) }
            for place in lists.done.indices {
                lists.done[place].sum = nil
                lists.losses.append(contentsOf: lists.done[place].losses.values)
            }
            return LaneResults(blocks: lists.blocks, laneLosses: lists.losses)
        }
    }

    /// Prepares the lists for a run: its blocks, and the parts of which they consist.
    /// - Parameter threads: among which lanes are divided.
    private func begin(_ lanes: Range<Int>, _ tree: ReductionTree, threads: Int) -> (
        whole: [Range<Int>], pieces: [Range<Int>]
    ) {
        lists.withLock { lists in
            if lists.lanes != lanes {
                lists.lanes = lanes
                lists.whole = tree.blocks(covering: lanes).map(\.lanes)
                lists.pieces = lists.whole.flatMap { split($0, tree, into: (lanes.count + threads - 1) / threads) }
                lists.done = lists.pieces.map { _ in Part() }
            }
            lists.blocks.removeAll(keepingCapacity: true)
            lists.losses.removeAll(keepingCapacity: true)
            return (lists.whole, lists.pieces)
        }
    }

    /// Most tokens of lanes that are packed together: more are not faster, and take more memory than the gradients that
    /// they save.
    static let mostTokens = 512

    /// The lane whose gradient begins each block's sum, the first with samples, and the buffer for the sum.
    private static func places(of targets: [FloatView]?, _ work: LaneWork, _ blocks: [Range<Int>]) -> [Int: FloatView] {
        guard let targets else { return [:] }
        precondition(targets.count == blocks.count, "\(targets.count) buffers for \(blocks.count) blocks")
        var places: [Int: FloatView] = [:]
        for (block, target) in zip(blocks, targets) {
            if let first = block.first(where: { lane in
                work.lanes[lane - work.firstLane].contains { $0.sentenceCount > 0 }
            }) {
                places[first] = target
            }
        }
        return places
    }

    /// Blocks of at most `limit` lanes that together cover `lanes`.
    private func split(_ lanes: Range<Int>, _ tree: ReductionTree, into limit: Int) -> [Range<Int>] {
        guard lanes.count > limit, lanes.count > 1 else { return [lanes] }
        let middle = tree.middle(of: lanes)
        return split(lanes.lowerBound..<middle, tree, into: limit) + split(middle..<lanes.upperBound, tree, into: limit)
    }

    /// Adds the blocks that cover `lanes`, in the order of the tree.
    private func combine(_ lanes: Range<Int>, _ tree: ReductionTree, _ parts: [Part]) -> BlockGradient {
        for part in parts { if let found = part.sum, found.lanes == lanes { return found } }
        let middle = tree.middle(of: lanes)
        return combine(
            combine(lanes.lowerBound..<middle, tree, parts), combine(middle..<lanes.upperBound, tree, parts))
    }

    /// `left + right`, into the left one's buffer.
    private func combine(_ left: BlockGradient, _ right: BlockGradient) -> BlockGradient {
        BlockGradient.sum(left, right, pool) { from, into in
            let chunk = 16 * BlockSum.size
            inParallel((into.count + chunk - 1) / chunk, threads: threads) { piece in
                let range = (piece * chunk)..<min((piece + 1) * chunk, into.count)
                add(from[range], to: into[range])
            }
        }
    }
}

/// One step's lanes of one worker.
private struct Job {
    let runner: LaneRunner
    let tree: ReductionTree
    let work: LaneWork
    let weights: Weights
    let targets: [Int: FloatView]
    /// Whether lanes may be packed together.
    let joins: Bool
    let observe: StageObserver?
    /// Nil if no exchange waits for final parts of the gradient.
    let last: LastPass?

    /// The sum of a block's lanes.
    /// - Parameter losses: receives those of the lanes, as in all that follow.
    func block(_ lanes: Range<Int>, _ losses: inout LaneLosses) -> BlockGradient {
        sum(lanes, onto: nil, &losses) ?? inTwo(lanes, &losses)
    }

    /// A block as the sum of its two halves.
    private func inTwo(_ lanes: Range<Int>, _ losses: inout LaneLosses) -> BlockGradient {
        let middle = tree.middle(of: lanes)
        let left = block(lanes.lowerBound..<middle, &losses)
        return sum(middle..<lanes.upperBound, onto: left, &losses)
            ?? serialSum(left) { block(middle..<lanes.upperBound, &losses) }
    }

    /// The sum of a block and of what follows it, which is computed by itself first.
    private func serialSum(_ left: BlockGradient, _ right: () -> BlockGradient) -> BlockGradient {
        last?.begin(addingTo: left.dense)
        let right = right()
        let isAdded = last?.end(addingTo: left.dense) ?? false
        return BlockGradient.sum(left, right, runner.pool) { from, into in
            if !isAdded { Kernels.add(from, to: into) }
        }
    }

    private func batches(_ lane: Int) -> [PackedBatch] { work.lanes[lane - work.firstLane] }

    /// The sum of lanes that one pass or one lane's passes compute, added to the block before them; nil if they have to
    /// be divided.
    private func sum(_ lanes: Range<Int>, onto left: BlockGradient?, _ losses: inout LaneLosses) -> BlockGradient? {
        if lanes.count == 1 { return lane(lanes.lowerBound, onto: left, &losses) }
        guard joins, fits(lanes) else { return nil }
        var (found, counts): ([Int], [UInt8]) = ([], [])
        _ = walk(lanes, &found, &counts)
        guard let first = found.first else {
            return BlockGradient(lanes: span(left, lanes), dense: left?.dense, rows: left?.rows)
        }
        if found.count == 1 {
            var only = lane(first, onto: left, &losses)
            only.lanes = span(left, lanes)
            return only
        }
        var sum = BlockGradient(lanes: span(left, lanes), dense: left?.dense, rows: left?.rows)
        runner.withPlace { place in
            place.memory.joined.fill(
                lanes: found.lazy.compactMap { batches($0).first { $0.sentenceCount > 0 } }, joins: counts)
            let isLast = last?.lane == found.last
            add(place.memory.joined, from: first, to: &sum, place, isLast: isLast) {
                losses.add($1, of: $2, at: found[$0])
            }
        }
        return sum
    }

    private func span(_ left: BlockGradient?, _ lanes: Range<Int>) -> Range<Int> {
        (left?.lanes.lowerBound ?? lanes.lowerBound)..<lanes.upperBound
    }

    /// Whether lanes can be packed together: each has at most one batch, all are of one task, and neither a pass over
    /// the gradient nor memory for the layers' values grows beyond measure.
    private func fits(_ lanes: Range<Int>) -> Bool {
        var (tokens, stream): (Int, TaskStream?) = (0, nil)
        for lane in lanes {
            var isFirst = true
            for batch in batches(lane) where batch.sentenceCount > 0 {
                guard isFirst, stream == nil || stream == batch.stream else { return false }
                (isFirst, stream) = (false, batch.stream)
                tokens += batch.tokenCount
            }
        }
        return tokens <= LaneRunner.mostTokens
    }

    /// Appends the lanes with samples, and how their sums are added; returns whether there are any.
    private func walk(_ lanes: Range<Int>, _ found: inout [Int], _ joins: inout [UInt8]) -> Bool {
        if lanes.count == 1 {
            guard batches(lanes.lowerBound).contains(where: { $0.sentenceCount > 0 }) else { return false }
            found.append(lanes.lowerBound)
            joins.append(0)
            return true
        }
        let middle = tree.middle(of: lanes)
        let hasLeft = walk(lanes.lowerBound..<middle, &found, &joins)
        let hasRight = walk(middle..<lanes.upperBound, &found, &joins)
        if hasLeft && hasRight { joins[joins.count - 1] += 1 }
        return hasLeft || hasRight
    }

    /// One lane, as a first value or added to the block before it.
    private func lane(_ lane: Int, onto left: BlockGradient?, _ losses: inout LaneLosses) -> BlockGradient {
        let batches = batches(lane)
        if let left, batches.count(where: { $0.sentenceCount > 0 }) > 1 {
            // The lane's own sum comes first; only then is it added to its neighbour.
            return serialSum(left) { self.lane(lane, onto: nil, &losses) }
        }
        var sum = BlockGradient(lanes: span(left, lane..<(lane + 1)), dense: left?.dense, rows: left?.rows)
        for (number, batch) in batches.enumerated() where batch.sentenceCount > 0 {
            runner.withPlace { place in
                let isLast = last?.lane == lane && last?.batch == number
                add(batch, from: lane, to: &sum, place, isLast: isLast) { losses.add($1, of: $2, at: lane) }
            }
        }
        return sum
    }

    /// Adds one packed batch's gradient to `sum`.
    /// - Parameters:
    ///   - first: the first of its lanes.
    ///   - isLast: whether no other pass of this run follows.
    ///   - note: receives the loss of each of its lanes.
    private func add(
        _ batch: PackedBatch, from first: Int, to sum: inout BlockGradient, _ place: LaneRunner.Place, isLast: Bool,
        note: (_ lane: Int, _ loss: Double, _ stream: TaskStream) -> Void
    ) {
        let buffer = sum.dense ?? targets[first] ?? runner.pool.take()
        place.sink.begin(
            dense: buffer, mode: sum.dense == nil ? .overwrite : .add,
            whenFinal: isLast ? last.map { last in { last.isFinal($0, of: buffer) } } : nil)
        let isTarget = batch.stream == .target
        _ = runner.model.laneGradient(
            batch, weights, lossScale: isTarget ? work.lossScale : work.sourceScale,
            dropout: isTarget ? work.dropout : work.dropout?.of(.source), recompute: runner.recompute,
            sink: place.sink, arena: place.arena, memory: place.memory, observe: observe
        ) { note($0, $1, batch.stream) }
        sum.dense = buffer
        sum.rows = runner.pool.sum(sum.rows, place.sink.takeRows { runner.pool.sum($0, $1) })
    }
}
