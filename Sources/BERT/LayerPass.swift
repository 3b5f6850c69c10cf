internal import Kernels
internal import Tensors

/// The forward pass of one encoder layer, part by part; see ``BERTModel/layerForward``.
struct LayerPass {
    /// The two parts that end in dropout, residual and layer norm.
    private enum Half { case attention, feedForward }

    /// What a half leaves for its backward pass.
    private struct HalfTape {
        /// The half's last factor.
        let factor: Factor?
        let bits: BitView?
        /// (R, D), overwritten by the normalized sum.
        let normalized: Matrix
        let inverse: FloatView
    }

    /// Queries (R, D), keys and values (T, D), and what they were computed from.
    private struct Projections {
        let readInput: Matrix
        let inputFactor: Factor?
        let readFactor: Factor?
        let queries: Matrix
        let keys: Matrix
        let values: Matrix
    }

    private let model: BERTModel
    private let layer: Int
    private let read: ReadRows?
    private let all: ReadRows
    private let batch: PackedBatch
    private let weights: Weights
    private let dropout: DropoutContext?
    private let arena: Arena
    private let scratch: Arena
    private var adapters: AdapterTapes = [:]

    /// As in ``BERTModel/layerForward``.
    init(
        _ model: BERTModel, _ layer: Int, read: ReadRows?, all: ReadRows, _ batch: PackedBatch, _ weights: Weights,
        dropout: DropoutContext?, arena: Arena, scratch: Arena
    ) {
        self.model = model
        self.layer = layer
        self.read = read
        self.all = all
        self.batch = batch
        self.weights = weights
        self.dropout = dropout
        self.arena = arena
        self.scratch = scratch
        precondition(order != nil || !isApart, "the tape of single precision has parts in the scratch memory")
    }

    private var places: BERTModel.LayerPlaces { model.places.layers[layer] }
    private var width: Int { model.shape.width }
    /// Nil in single precision, in which factors are not rounded.
    private var order: ProductOrder? { model.precision.order }
    private var isApart: Bool { scratch !== arena }
    private var rows: ReadRows { read ?? all }

    /// Computes the layer of `input` (T, D) into `output` (R, D).
    mutating func run(_ input: Matrix, into output: Matrix) -> LayerTape {
        let start = scratch.mark
        defer { if isApart { scratch.release(to: start) } }
        let projections = project(input)
        let context = scratch.take(rows: rows.rows.count, columns: width)
        let attention = Attention(
            rows: AttentionRows(keys: batch.offsets, queries: rows.offsets), heads: model.shape.heads,
            dropout: attentionDropout, precision: model.precision)
        let probabilityBits = attention.bits(arena: arena)
        let mark = scratch.mark
        let (queries, keys, values) = (
            Factor(projections.queries, order, arena: arena), Factor(projections.keys, order, arena: arena),
            Factor(projections.values, order, arena: arena)
        )
        attention.forward(
            queries: queries, keys: keys, values: values, bits: probabilityBits, into: context, arena: scratch)
        if order != nil { scratch.release(to: mark) }
        let attended = scratch.take(rows: context.rows, columns: width)
        let first = end(.attention, context, residual: projections.readInput, into: attended)

        let slope = arena.take(rows: context.rows, columns: model.shape.feedForward)
        let inner = scratch.take(rows: context.rows, columns: model.shape.feedForward)
        let attendedFactor = product(attended, places.innerWeight, .inner, into: slope)
        adapt(.intermediate, attended, onto: slope, rows)
        activate(model.shape.activation, bias: weights.vector(places.innerBias), slope, into: inner)
        let second = end(.feedForward, inner, residual: attended, into: output)
        return LayerTape(
            input: projections.inputFactor, read: read, readInput: projections.readFactor, queries: queries,
            keys: keys, values: values, attention: attention, probabilityBits: probabilityBits, context: first.factor,
            attentionBits: first.bits, attentionNormalized: first.normalized, attentionInverse: first.inverse,
            attended: attendedFactor, slope: slope, inner: second.factor, outerBits: second.bits,
            outerNormalized: second.normalized, outerInverse: second.inverse, adapters: adapters,
            allLanes: all.lanes, lanes: rows.lanes)
    }

    /// One product for all three if all rows are read, else one for keys and values and one for the queries.
    private mutating func project(_ input: Matrix) -> Projections {
        let (d, bias) = (width, weights.vector(places.projectionBiases))
        let readInput: Matrix
        let projections: Matrix
        let queries: Matrix
        let inputFactor: Factor?
        let readFactor: Factor?
        if let read {
            readInput = gather(input, read.rows)
            projections = scratch.take(rows: input.rows, columns: 2 * d)
            inputFactor = product(input, places.projectionWeights) {
                model.linear($0, by: .keyValue, ofLayer: layer, weights, into: projections)
            }
            addBias(bias[d..<(3 * d)], to: projections)
            queries = scratch.take(rows: readInput.rows, columns: d)
            readFactor = product(readInput, places.projectionWeights) {
                model.linear($0, by: .query, ofLayer: layer, weights, into: queries)
            }
            addBias(bias[0..<d], to: queries)
        } else {
            readInput = input
            projections = scratch.take(rows: input.rows, columns: 3 * d)
            inputFactor = product(input, places.projectionWeights) {
                model.project($0, ofLayer: layer, weights, into: projections)
            }
            readFactor = inputFactor
            addBias(bias, to: projections)
            queries = projections.columns(0..<d)
        }
        let first = projections.columns - 2 * d
        let keys = projections.columns(first..<(first + d))
        let values = projections.columns((first + d)..<(first + 2 * d))
        adapt(.query, readInput, onto: queries, rows)
        adapt(.key, input, onto: keys, all)
        adapt(.value, input, onto: values, all)
        return Projections(
            readInput: readInput, inputFactor: inputFactor, readFactor: readFactor, queries: queries, keys: keys,
            values: values)
    }

    /// A half's last product, its dropout, and the layer norm of residual and product.
    private mutating func end(_ half: Half, _ x: Matrix, residual: Matrix, into output: Matrix) -> HalfTape {
        let isFirst = half == .attention
        let sum = arena.take(rows: x.rows, columns: width)
        let inverse = arena.take(x.rows)
        let factor = product(
            x, isFirst ? places.attentionWeight : places.outerWeight, isFirst ? .attention : .outer, into: sum)
        adapt(isFirst ? .attentionOutput : .output, x, onto: sum, rows)
        let bits = dropout.flatMap {
            $0.bits(
                $0.hidden, rows: rows, of: batch, columns: width, layer: layer,
                site: isFirst ? .attentionOutput : .feedForward, arena: arena)
        }
        layerNorm(
            sum,
            NormalizationInput(
                bias: weights.vector(isFirst ? places.attentionBias : places.outerBias), bits: bits,
                rate: dropout?.hidden ?? DropoutRate(0), residual: residual),
            gain: weights.vector(isFirst ? places.attentionGain : places.outerGain),
            shift: weights.vector(isFirst ? places.attentionShift : places.outerShift),
            epsilon: model.shape.epsilon, into: output, inverseDeviation: inverse)
        return HalfTape(factor: factor, bits: bits, normalized: sum, inverse: inverse)
    }

    /// Multiplies by weights; returns the factor if their gradient will need it.
    private func product(_ x: Matrix, _ places: Range<Int>, _ multiply: (Factor) -> Void) -> Factor? {
        let isKept = order == nil || isApart && model.layout.isTrained(places)
        let mark = scratch.mark
        defer { if order != nil { scratch.release(to: mark) } }
        let factor = Factor(x, order, arena: isKept ? arena : scratch)
        multiply(factor)
        return isKept ? factor : nil
    }

    private func product(_ x: Matrix, _ place: Int, _ weight: EncoderWeight, into y: Matrix) -> Factor? {
        product(x, place..<(place + 1)) { model.linear($0, by: weight, ofLayer: layer, weights, into: y) }
    }

    private mutating func adapt(_ target: LoRA.Target, _ x: Matrix, onto y: Matrix, _ rows: ReadRows) {
        guard model.lora != nil else { return }
        model.adapt(
            target, ofLayer: layer, x, onto: y, rows: rows, batch, weights, dropout: dropout, arena: arena,
            copies: isApart, &adapters)
    }

    private var attentionDropout: AttentionDropout? {
        guard let dropout, !dropout.attention.isZero else { return nil }
        return AttentionDropout(
            rate: dropout.attention, key: dropout.key, layer: layer, positions: batch.batchPositions,
            queryTokens: read?.tokens ?? batch.positions)
    }

    private func gather(_ x: Matrix, _ rows: [Int32]) -> Matrix {
        let y = scratch.take(rows: rows.count, columns: x.columns)
        for (place, row) in rows.enumerated() {
            y.rows(place..<(place + 1)).elements.copy(from: x.rows(Int(row)..<(Int(row) + 1)).elements)
        }
        return y
    }
}
