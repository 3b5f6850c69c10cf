internal import BERT
internal import Kernels
internal import Synchronization
internal import Tensors

/// Checksums of a replica's memory as it was written, for later comparison.
///
/// All parameters except the word table share one sum. The word table has a sum per row: a step reads few rows of it,
/// and only those are compared after it. The sums are made while values are written, from the same registers.
final class StateWatch: Sendable {
    /// Sums of parameters and moments, by row of the word table or of everything else.
    private struct Sums {
        var rest = PositionSum.Pair()
        var rows: [PositionSum.Pair]
        var allRows = PositionSum.Pair()
        /// The part of `rest`'s parameters that a step over stored features does not read.
        var encoder: UInt64 = 0
        /// Rows already examined by the current comparison.
        var compared: TouchedRows

        init(rows: Int) {
            self.rows = Array(repeating: PositionSum.Pair(), count: rows)
            compared = TouchedRows(rows: rows)
        }

        mutating func set(_ row: Int, _ sum: PositionSum.Pair) {
            allRows.parameters &+= sum.parameters &- rows[row].parameters
            allRows.moments &+= sum.moments &- rows[row].moments
            rows[row] = sum
        }
    }

    private let layout: ParameterLayout
    /// The word table, if it has sums by rows, trained or not.
    private let table: ParameterLayout.Entry?
    /// What a step over stored features reads: pooler and head, trained or not.
    private let head: [ParameterLayout.Entry]
    private let threads: Int
    private let sums: Mutex<Sums>

    init(_ model: BERTModel, threads: Int) {
        let layout = model.layout
        self.layout = layout
        head = layout.entries.filter { model.depth(of: $0.name) > model.shape.layers }
        self.threads = threads
        let table = layout.entries.last.flatMap { $0.isRowSparse ? $0 : nil }
        self.table = table
        sums = Mutex(Sums(rows: table?.shape[0] ?? 0))
    }

    /// Elements before the word table, which comes last.
    private var restCount: Int { table?.offset ?? layout.count }
    private var restState: Int { table?.gradientOffset ?? layout.stateCount }

    /// Takes the sums of a state that was received or loaded.
    func take(_ state: TrainingState) {
        let rest = restSums(state)
        var rows: [PositionSum.Pair] = []
        if let table {
            let all = Mutex([PositionSum.Pair](repeating: PositionSum.Pair(), count: table.shape[0]))
            let size = 256
            inParallel((table.shape[0] + size - 1) / size, threads: threads) { piece in
                let range = (piece * size)..<min((piece + 1) * size, table.shape[0])
                let found = range.map { row(of: table, $0, state) }
                all.withLock { $0.replaceSubrange(range, with: found) }
            }
            rows = all.withLock { $0 }
        }
        let encoder = rest.parameters &- sum(of: head, state.parameters.view)
        sums.withLock { sums in
            sums = Sums(rows: rows.count)
            (sums.rest, sums.encoder) = (rest, encoder)
            for (row, sum) in rows.enumerated() { sums.set(row, sum) }
        }
    }

    private func restSums(_ state: TrainingState) -> PositionSum.Pair {
        let (parameters, moments) = (0..<restCount, 0..<restState)
        return PositionSum.Pair(
            parameters: StateHash.sum(state.parameters.view[parameters], from: 0, .parameters, threads: threads),
            moments: StateHash.sum(state.first.view[moments], from: 0, .firstMoments, threads: threads)
                &+ StateHash.sum(state.second.view[moments], from: 0, .secondMoments, threads: threads))
    }

    private func row(of table: ParameterLayout.Entry, _ row: Int, _ state: TrainingState) -> PositionSum.Pair {
        let width = table.shape[1]
        let place = table.offset + row * width
        var sum = PositionSum.Pair(
            parameters: PositionSum.of(state.parameters.view.part(from: place, count: width), from: place, .parameters))
        if let offset = table.gradientOffset {
            let place = offset + row * width
            sum.moments =
                PositionSum.of(state.first.view.part(from: place, count: width), from: place, .firstMoments)
                &+ PositionSum.of(state.second.view.part(from: place, count: width), from: place, .secondMoments)
        }
        return sum
    }

    // MARK: Writing

    /// Records that everything trained except the word table was written, with these sums; frozen parameters keep
    /// theirs.
    func wrote(_ written: PositionSum.Pair, frozen: UInt64) {
        sums.withLock { $0.rest = PositionSum.Pair(parameters: written.parameters &+ frozen, moments: written.moments) }
    }

    /// Records that rows of the word table were written.
    func wroteRows(_ rows: ArraySlice<Int32>, _ written: RowSums) {
        sums.withLock { sums in
            for (place, row) in rows.enumerated() { sums.set(Int(row), written[place]) }
        }
    }

    /// The sum of parameters that are never written.
    func frozenSum(_ parameters: FloatView) -> UInt64 {
        sum(of: layout.entries.filter { $0.gradientOffset == nil && !$0.isRowSparse }, parameters)
    }

    private func sum(of entries: [ParameterLayout.Entry], _ parameters: FloatView) -> UInt64 {
        entries.reduce(0) { $0 &+ StateHash.sum(parameters[$1.range], from: $1.offset, .parameters, threads: threads) }
    }

    // MARK: Comparing

    /// The hash of the state after `step` as it was written.
    func hash(_ touched: TouchedRows, step: Int) -> UInt64 {
        let all = sums.withLock { sums in
            PositionSum.Pair(
                parameters: sums.rest.parameters &+ sums.allRows.parameters,
                moments: sums.rest.moments &+ sums.allRows.moments)
        }
        return StateHash.of(all, touched, step: step)
    }

    /// Whether the parameters that a computation over these rows of the word table reads are unchanged since they were
    /// written.
    /// - Parameter rows: in any order, repetitions allowed.
    func isIntact(_ parameters: FloatView, rows: some Sequence<Int32>) -> Bool {
        let rest = sums.withLock { $0.rest.parameters }
        guard StateHash.sum(parameters[0..<restCount], from: 0, .parameters, threads: threads) == rest else {
            return false
        }
        guard let table else { return true }
        let width = table.shape[1]
        return sums.withLock { sums in
            sums.compared.removeAll()
            return rows.allSatisfy { row in
                guard sums.compared.insert(row) else { return true }
                let place = table.offset + Int(row) * width
                return PositionSum.of(parameters.part(from: place, count: width), from: place, .parameters)
                    == sums.rows[Int(row)].parameters
            }
        }
    }

    /// Whether the parameters that a step over stored features reads are unchanged since they were written; the encoder
    /// must be frozen.
    func isHeadIntact(_ parameters: FloatView) -> Bool {
        let known = sums.withLock { $0.rest.parameters &- $0.encoder }
        return sum(of: head, parameters) == known
    }
}
