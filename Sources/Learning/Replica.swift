package import BERT
internal import Kernels
package import Reduction
internal import Synchronization
package import Tensors

/// The sum of all lanes' gradients of one step.
package struct StepGradient: Sendable {
    /// Nil if every lane is empty.
    package var dense: ReducedGradient?
    /// Touched word-embedding rows, if that table is row-sparse and trained.
    package var rows: SparseRows?

    package init(dense: ReducedGradient?, rows: SparseRows?) {
        self.dense = dense
        self.rows = rows
    }

    /// The sum in a process with all lanes.
    package init(_ block: BlockGradient) { self.init(dense: block.dense.map(ReducedGradient.init), rows: block.rows) }
}

/// One worker's copy of the training state: weights, optimizer state, and the rows touched so far.
///
/// Every replica starts from the same state and makes the same updates, so all of them stay equal bit by bit.
package final class Replica: Sendable {
    package let model: BERTModel
    package let parameters: FloatBuffer
    /// (layout.stateCount) first and second moments.
    package let first: FloatBuffer
    package let second: FloatBuffer
    package let threads: Int
    private let touchedRows: Mutex<TouchedRows>
    private let updates: Mutex<Int>
    private let changes = Mutex(0)
    private let chunks: [Chunk]
    /// Compares memory with the values written there; nil if not requested.
    private let watch: StateWatch?
    private let frozenSum = Mutex<UInt64>(0)
    /// Memory for the blocks' sums of squares of one step, and for the rows of the word table that it updates.
    private let blockSums = Mutex<[Double]>([])
    private let tableRows = Mutex<[Int32]>([])
    /// The memory that an update writes.
    private let (written, moments) = (SharedSum(), SharedSum())

    /// Consecutive parameters that one thread updates.
    private struct Chunk {
        let parameters: Range<Int>
        let state: Range<Int>
        let decays: Bool
        let depth: Int
    }

    private init(
        model: BERTModel, parameters: FloatBuffer, threads: Int, first: FloatBuffer, second: FloatBuffer, step: Int,
        isWatched: Bool
    ) {
        precondition(parameters.count == model.layout.count, "\(parameters.count) weights for \(model.layout.count)")
        precondition(first.count == model.layout.stateCount, "\(first.count) moments for \(model.layout.stateCount)")
        self.model = model
        self.parameters = parameters
        self.threads = threads
        self.first = first
        self.second = second
        touchedRows = Mutex(TouchedRows(rows: model.layout.sparseTable?.shape[0] ?? 0))
        updates = Mutex(step)
        chunks = Self.chunks(model)
        watch = isWatched ? StateWatch(model, threads: threads) : nil
    }

    /// A replica of the state after `step`.
    /// - Parameter isWatched: whether ``hash`` and ``isIntact(rows:)`` will be called.
    package convenience init(model: BERTModel, state: TrainingState, step: Int, threads: Int, isWatched: Bool = false) {
        self.init(
            model: model, parameters: state.parameters, threads: threads, first: state.first, second: state.second,
            step: step, isWatched: isWatched)
        touched = state.touched
    }

    package convenience init(model: BERTModel, parameters: FloatBuffer, threads: Int, isWatched: Bool = false) {
        let (count, dense) = (model.layout.stateCount, model.layout.denseCount)
        self.init(
            model: model, parameters: parameters, threads: threads, first: FloatBuffer(count: count, whole: dense),
            second: FloatBuffer(count: count, whole: dense), step: 0, isWatched: isWatched)
    }

    /// The step of the state: it changes only with updates.
    package var step: Int { updates.withLock { $0 } }

    /// Counts what the memory of the weights has contained: another number after each update and each received state.
    package var version: Int { changes.withLock { $0 } }

    // MARK: Truth

    /// Declares the present contents of memory the state after `step`, for a received state.
    package func trust(asOf step: Int) {
        updates.withLock { $0 = step }
        changes.withLock { $0 += 1 }
        guard let watch else { return }
        watch.take(state)
        let frozen = watch.frozenSum(parameters.view)
        frozenSum.withLock { $0 = frozen }
    }

    /// The hash of the state as it was written; 0 if it is not watched.
    package var hash: UInt64 { watch?.hash(touched, step: step) ?? 0 }

    /// Whether memory is unchanged since it was written, for all that a computation over these rows of the word table
    /// reads.
    package func isIntact(rows: some Sequence<Int32>) -> Bool { watch?.isIntact(parameters.view, rows: rows) ?? true }

    /// Whether memory is unchanged since it was written, for all that a step over stored features reads.
    package var isHeadIntact: Bool { watch?.isHeadIntact(parameters.view) ?? true }

    /// Whether all memory is unchanged since it was written, including moments and untouched rows.
    package var isIntact: Bool { watch == nil || StateHash.of(state, step: step, threads: threads) == hash }

    package var touched: TouchedRows {
        get { touchedRows.withLock { $0 } }
        set { touchedRows.withLock { $0 = newValue } }
    }

    private static func chunks(_ model: BERTModel) -> [Chunk] {
        let size = 16 * BlockSum.size
        return model.layout.entries.flatMap { entry -> [Chunk] in
            guard let state = entry.gradientOffset, !entry.isRowSparse else { return [] }
            let depth = model.depth(of: entry.name)
            return stride(from: 0, to: entry.count, by: size).map { start in
                let count = min(size, entry.count - start)
                return Chunk(
                    parameters: (entry.offset + start)..<(entry.offset + start + count),
                    state: (state + start)..<(state + start + count),
                    decays: entry.decays, depth: depth)
            }
        }
    }

    /// The global norm of a gradient: fixed blocks of the dense part in order, then each touched row in ascending
    /// order.
    package func norm(of gradient: StepGradient) -> Double {
        blockSums.withLock { $0.removeAll(keepingCapacity: true) }
        gradient.dense?.forEachPart { addBlockSums(of: $0.values) }
        var squares = blockSums.withLock { BlockSum.total($0) }
        if let rows = gradient.rows {
            squares += rows.ids.indices.reduce(0) { $0 + BlockSum.totalSquares(rows.row($1)) }
        }
        return squares.squareRoot()
    }

    private func addBlockSums(of values: FloatView) {
        let blocks = (values.count + BlockSum.size - 1) / BlockSum.size
        let first = blockSums.withLock { sums in
            sums.append(contentsOf: repeatElement(0, count: blocks))
            return sums.count - blocks
        }
        let size = 16
        inParallel((blocks + size - 1) / size, threads: threads) { piece in
            for block in (piece * size)..<min((piece + 1) * size, blocks) {
                let start = block * BlockSum.size
                let sum = BlockSum.totalSquares(values[start..<min(start + BlockSum.size, values.count)])
                blockSums.withLock { $0[first + block] = sum }
            }
        }
    }

    /// One optimizer update from the sum of all lanes' gradients. An absent gradient is zero.
    package func apply(_ gradient: StepGradient, _ update: OptimizerUpdate) {
        updates.withLock { $0 += 1 }
        changes.withLock { $0 += 1 }
        written.reset()
        moments.reset()
        inParallel(chunks.count, threads: threads) { piece in
            let chunk = chunks[piece]
            let constants = update[chunk.depth].constants(decays: chunk.decays)
            func step(_ state: Range<Int>, _ values: FloatView?) {
                let start = chunk.parameters.lowerBound + state.lowerBound - chunk.state.lowerBound
                let (parameters, first, second) = (
                    parameters.view.part(from: start, count: state.count), first.view[state], second.view[state]
                )
                guard watch != nil else {
                    return adamUpdate(constants, gradient: values, parameters: parameters, first: first, second: second)
                }
                let sums = summedAdamUpdate(
                    constants, gradient: values, parameters: parameters, first: first, second: second,
                    places: (start, state.lowerBound))
                written.add(sums.parameters)
                moments.add(sums.moments)
            }
            if let dense = gradient.dense {
                dense.forEachPart(in: chunk.state) { step($0.range, $0.values) }
            } else {
                step(chunk.state, nil)
            }
        }
        watch?.wrote(
            PositionSum.Pair(parameters: written.value, moments: moments.value), frozen: frozenSum.withLock { $0 })
        guard let table = model.layout.sparseTable else { return }
        applyRows(gradient.rows, table, update[model.depth(of: table.name)].constants(decays: table.decays))
    }

    /// Marks rows as touched.
    ///
    /// - Parameter isFirst: whether the moments of rows that no batch had yet are zero. These are written anyway: a
    ///   page of memory that is read first is mapped to the system's zero page, and a later write interrupts all cores
    ///   to invalidate that mapping.
    private func touch(_ ids: [Int32], _ table: ParameterLayout.Entry, isFirst: Bool) {
        let (width, state) = (table.shape[1], table.gradientOffset ?? 0)
        touchedRows.withLock { touched in
            for id in ids where isFirst && !touched.contains(Int(id)) {
                let row = (state + Int(id) * width)..<(state + (Int(id) + 1) * width)
                first.view[row].fill(0)
                second.view[row].fill(0)
            }
            touched.insert(ids)
        }
    }

    /// The word table's update: rows of the batch with their gradient, other touched rows with none.
    private func applyRows(_ rows: SparseRows?, _ table: ParameterLayout.Entry, _ constants: Kernels.AdamConstants) {
        // Decay that is added to the gradient affects all rows from the first step on.
        if let rows { touch(rows.ids, table, isFirst: constants.l2 == 0) }
        let everyRow = constants.decayFactor != 1 || constants.l2 != 0
        let list = tableRows.withLock { list in
            list.removeAll(keepingCapacity: true)
            if everyRow { list.append(contentsOf: 0..<Int32(table.shape[0])) } else { touched.append(to: &list) }
            return list
        }
        let (width, state) = (table.shape[1], table.gradientOffset ?? 0)
        let (values, first, second) = (
            parameters.view[table.range], first.view.part(from: state, count: table.count),
            second.view.part(from: state, count: table.count)
        )
        let size = RowSums.most
        inParallel((list.count + size - 1) / size, threads: threads) { piece in
            let part = list[(piece * size)..<min((piece + 1) * size, list.count)]
            var sums = watch.map { _ in RowSums() }
            adamUpdate(
                constants, rows: part, width: width, gradient: rows, parameters: values, first: first, second: second,
                places: (table.offset, state), sums: &sums)
            if let sums { watch?.wroteRows(part, sums) }
        }
    }
}
