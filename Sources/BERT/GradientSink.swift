internal import Kernels
package import Tensors

/// Receives the gradients of one backward pass, of one lane or of several that are computed together.
///
/// The first pass of a block overwrites; later ones are added, tensor by tensor. Each is computed separately first, so
/// that its bits do not depend on what it is added to.
package final class GradientSink {
    /// What a pass does with what the buffers hold.
    package enum Mode: Sendable {
        case overwrite
        case add
    }

    let layout: ParameterLayout
    private(set) var dense: FloatView
    private(set) var mode: Mode
    let arena: Arena
    /// Which parameters' gradients have been computed.
    private var written: [Bool]
    /// Called once for each range of the block's gradient when this pass has made its last write there; nil if no
    /// caller waits for that.
    private var whenFinal: ((Range<Int>) -> Void)?
    /// Which parameters' gradients are final; kept only with ``whenFinal``.
    private var isFinal: [Bool]
    /// Each lane's word-embedding rows, if that table is row-sparse and trained.
    private var laneRows: [SparseRows] = []
    private var lanes = LaneRows(one: 0)

    /// - Parameter dense: (layout.denseCount), the block's gradient.
    package init(layout: ParameterLayout, dense: FloatView, mode: Mode, arena: Arena) {
        precondition(dense.count == layout.denseCount, "\(dense.count) gradients for \(layout.denseCount)")
        self.layout = layout
        self.dense = dense
        self.mode = mode
        self.arena = arena
        written = [Bool](repeating: false, count: layout.entries.count)
        isFinal = written
    }

    /// A sink that needs ``begin(dense:mode:whenFinal:)`` before each batch.
    package init(layout: ParameterLayout, arena: Arena) {
        self.layout = layout
        dense = FloatBuffer(count: 0).view
        mode = .overwrite
        self.arena = arena
        written = [Bool](repeating: false, count: layout.entries.count)
        isFinal = written
    }

    /// Begins another batch's backward pass.
    /// - Parameter whenFinal: called for each range of `dense` after its last write; the ranges together are all of it.
    package func begin(dense: FloatView, mode: Mode, whenFinal: ((Range<Int>) -> Void)? = nil) {
        precondition(dense.count == layout.denseCount, "\(dense.count) gradients for \(layout.denseCount)")
        self.dense = dense
        self.mode = mode
        self.whenFinal = whenFinal
        for place in written.indices { (written[place], isFinal[place]) = (false, false) }
        laneRows.removeAll(keepingCapacity: true)
    }

    /// The rows found; the caller owns them from now on.
    /// - Parameter add: adds the rows of adjacent lanes, lower lanes first.
    package func takeRows(_ add: (SparseRows?, SparseRows?) -> SparseRows?) -> SparseRows? {
        guard !laneRows.isEmpty else { return nil }
        let sum = lanes.sum(of: { Optional(laneRows[$0]) }, add)
        laneRows.removeAll(keepingCapacity: true)
        return sum
    }

    /// The rows of the only lane.
    package var rows: SparseRows? { laneRows.last }

    /// Ends one batch's backward pass: parameters that the batch does not use, such as another task's head, get a zero
    /// gradient.
    func finish() {
        zeroUnwritten(layout.entries.indices)
        close(layout.entries.indices)
        whenFinal = nil
    }

    private func zeroUnwritten(_ places: Range<Int>) {
        guard mode == .overwrite else { return }
        for place in places where !written[place] && !layout.entries[place].isRowSparse {
            let entry = layout.entries[place]
            if let offset = entry.gradientOffset { dense.part(from: offset, count: entry.count).fill(0) }
            written[place] = true
        }
    }

    /// The rest of the pass writes no gradient of these parameters; those that it has not written are zero.
    func close(_ places: Range<Int>) {
        guard let whenFinal else { return }
        zeroUnwritten(places)
        var range: Range<Int>?
        for place in places where !isFinal[place] && !layout.entries[place].isRowSparse {
            isFinal[place] = true
            let entry = layout.entries[place]
            guard let offset = entry.gradientOffset else { continue }
            if let known = range, known.upperBound == offset {
                range = known.lowerBound..<(offset + entry.count)
            } else {
                if let range { whenFinal(range) }
                range = offset..<(offset + entry.count)
            }
        }
        if let range { whenFinal(range) }
    }

    private func note(writing places: Range<Int>) {
        for place in places {
            precondition(!isFinal[place], "the gradient of \(layout.entries[place].name) is written after its end")
            written[place] = true
        }
    }

    func isTrained(_ place: Int) -> Bool { layout.isTrained(place..<(place + 1)) }
    func isTrained(_ places: Range<Int>) -> Bool { layout.isTrained(places) }

    /// Lets `compute` overwrite one gradient; does nothing if the parameter is frozen.
    func vector(_ place: Int, _ compute: (FloatView) -> Void) { vector(place..<(place + 1), compute) }

    func matrix(_ place: Int, _ compute: (Matrix) -> Void) { matrix(place..<(place + 1), compute) }

    func matrix(_ places: Range<Int>, _ compute: (Matrix) -> Void) {
        let columns = layout.entries[places.lowerBound].shape[1]
        vector(places) { compute(Matrix($0, rows: $0.count / columns, columns: columns)) }
    }

    /// The gradient of a weight, or of rows of consecutive weights: `gradient` (R, outputs), transposed, times `input`
    /// (R, inputs).
    ///
    /// Lanes are added tile by tile, without memory for their own gradients.
    /// - Parameters:
    ///   - outputs: the weight rows that `gradient` belongs to; nil: all of them.
    ///   - input: nil if none of the weights is trained.
    ///   - lanes: of the R rows.
    ///   - order: of the products, if the input is in bf16; the gradient will be rounded.
    func product(
        _ places: Range<Int>, outputs: Range<Int>? = nil, _ gradient: Matrix, _ input: Factor?, _ lanes: LaneRows,
        _ order: ProductOrder?
    ) {
        let entries = layout.entries[places]
        note(writing: places)
        guard let input else { return }
        let all = entries.reduce(0) { $0 + $1.shape[0] }
        let outputs = outputs ?? 0..<all
        precondition(outputs.count == gradient.columns, "\(outputs.count) rows for \(gradient.columns) outputs")
        if let first = entries.first?.gradientOffset, entries.allSatisfy({ $0.gradientOffset != nil }) {
            return multiply(gradient, input, lanes, order, to: first + outputs.lowerBound * input.columns)
        }
        var row = 0
        for entry in entries {
            let own = (row..<(row + entry.shape[0])).clamped(to: outputs)
            if let first = entry.gradientOffset, !own.isEmpty {
                let columns = (own.lowerBound - outputs.lowerBound)..<(own.upperBound - outputs.lowerBound)
                multiply(
                    gradient.columns(columns), input, lanes, order, to: first + (own.lowerBound - row) * input.columns)
            }
            row += entry.shape[0]
        }
    }

    private func multiply(
        _ gradient: Matrix, _ input: Factor, _ lanes: LaneRows, _ order: ProductOrder?, to offset: Int
    ) {
        let place = Matrix(
            dense.part(from: offset, count: gradient.columns * input.columns), rows: gradient.columns,
            columns: input.columns)
        switch input {
        case .single(let x): multiplyLanes(gradient, x, lanes, into: place, add: mode == .add)
        case .rounded(let x):
            guard let order else { preconditionFailure("products in bf16 without an order") }
            let mark = arena.mark
            let left = LeftFactor(turning: gradient, lanes, arena: arena)
            let right = RightFactor(x, lanes, arena: arena)
            multiplyLanes(left, right, order, lanes, into: place, add: mode == .add)
            arena.release(to: mark)
        }
    }

    func product(_ place: Int, _ gradient: Matrix, _ input: Factor?, _ lanes: LaneRows, _ order: ProductOrder?) {
        product(place..<(place + 1), gradient, input, lanes, order)
    }

    /// The same in single precision.
    func product(_ place: Int, _ gradient: Matrix, _ input: Matrix, _ lanes: LaneRows) {
        product(place..<(place + 1), gradient, .single(input), lanes, nil)
    }

    /// Lets `compute` overwrite the gradients of consecutive parameters.
    func vector(_ places: Range<Int>, _ compute: (FloatView) -> Void) {
        guard isTrained(places) else { return }
        withScratch(places, compute)
    }

    /// As ``vector``, but computes even for frozen parameters, when the same pass has another result that is needed.
    func always(_ places: Range<Int>, _ compute: (FloatView) -> Void) { withScratch(places, compute) }

    func always(_ place: Int, _ compute: (FloatView) -> Void) { withScratch(place..<(place + 1), compute) }

    private func withScratch(_ places: Range<Int>, _ compute: (FloatView) -> Void) {
        let entries = layout.entries[places]
        let count = entries.reduce(0) { $0 + $1.count }
        note(writing: places)
        if mode == .overwrite, let first = entries.first?.gradientOffset,
            entries.allSatisfy({ $0.gradientOffset != nil })
        {
            compute(dense.part(from: first, count: count))
            return
        }
        let mark = arena.mark
        let scratch = arena.take(count)
        compute(scratch)
        var offset = 0
        for entry in entries {
            if let place = entry.gradientOffset {
                let (from, to) = (
                    scratch.part(from: offset, count: entry.count), dense.part(from: place, count: entry.count)
                )
                if mode == .add { add(from, to: to) } else { to.copy(from: from) }
            }
            offset += entry.count
        }
        arena.release(to: mark)
    }

    /// Sets the word rows that the lanes read, `rows` being those of a lane.
    func setRows(of lanes: LaneRows, _ rows: (_ lane: Int) -> SparseRows) {
        self.lanes = lanes
        laneRows.removeAll(keepingCapacity: true)
        for lane in 0..<lanes.count { laneRows.append(rows(lane)) }
    }
}
