internal import Kernels
internal import Tensors

/// Values of the embeddings' forward pass that their backward pass needs.
struct EmbeddingTape {
    let normalized: Matrix
    let inverseDeviation: FloatView
    let bits: BitView?
    let output: Matrix
}

extension BERTModel {
    /// `dropout(layerNorm(word + type + position))`. Shape of the output: (T, D).
    /// - Parameter all: the batch's rows.
    func embedForward(_ batch: PackedBatch, _ all: ReadRows, _ weights: Weights, dropout: DropoutContext?, arena: Arena)
        -> EmbeddingTape
    {
        let sum = arena.take(rows: batch.tokenCount, columns: shape.width)
        let output = arena.take(rows: batch.tokenCount, columns: shape.width)
        let inverse = arena.take(batch.tokenCount)
        embed(
            ids: batch.ids, positions: batch.positions, types: batch.types,
            words: weights.matrix(places.wordEmbeddings),
            positionTable: weights.matrix(places.positionEmbeddings), typeTable: weights.matrix(places.typeEmbeddings),
            into: sum)
        layerNorm(
            sum, NormalizationInput(), gain: weights.vector(places.embeddingGain),
            shift: weights.vector(places.embeddingShift),
            epsilon: shape.epsilon, into: output, inverseDeviation: inverse)
        let bits = dropout.flatMap {
            $0.bits($0.hidden, rows: all, of: batch, columns: shape.width, layer: 0, site: .embeddings, arena: arena)
        }
        if let bits, let dropout { Kernels.dropout(output, bits: bits, rate: dropout.hidden, into: output) }
        return EmbeddingTape(normalized: sum, inverseDeviation: inverse, bits: bits, output: output)
    }

    /// The backward pass of ``embedForward``; `gradient` (T, D) is overwritten.
    ///
    /// - Parameter decoderGradient: overwrites a matrix with the word table's gradient from a head tied to it.
    func embedBackward(
        _ gradient: Matrix, _ tape: EmbeddingTape, _ batch: PackedBatch, _ weights: Weights, dropout: DropoutContext?,
        sink: GradientSink,
        memory: LaneMemory, decoderGradient: ((Matrix) -> Void)?
    ) {
        if let bits = tape.bits, let dropout {
            Kernels.dropout(gradient, bits: bits, rate: dropout.hidden, into: gradient)
        }
        sink.always(places.embeddingGain..<(places.embeddingShift + 1)) { both in
            layerNormBackward(
                normalized: tape.normalized, inverseDeviation: tape.inverseDeviation,
                gain: weights.vector(places.embeddingGain),
                gradient, lanes: memory.allRows.lanes, gainGradient: both[0..<shape.width],
                shiftGradient: both[shape.width..<(2 * shape.width)])
        }
        sink.matrix(places.positionEmbeddings) {
            memory.positionGroups.set(all: batch.positions, limit: shape.positions)
            sumRows(gradient, by: memory.positionGroups, lanes: memory.allRows.lanes, into: $0)
        }
        sink.matrix(places.typeEmbeddings) {
            memory.typeGroups.set(all: batch.types, limit: shape.types)
            sumRows(gradient, by: memory.typeGroups, lanes: memory.allRows.lanes, into: $0)
        }
        guard sink.isTrained(places.wordEmbeddings) else { return }
        guard layout.sparseTable != nil else {
            return tiedTableBackward(gradient, decoderGradient, batch, sink: sink, memory)
        }
        let lanes = memory.allRows.lanes
        sink.setRows(of: lanes) { lane in
            readRowsGradient(gradient.rows(lanes.rows(of: lane)), batch.ids[lanes.rows(of: lane)], memory)
        }
    }

    /// The gradient of a dense word table: that of the tied decoder, if any, plus the rows that the batch reads.
    private func tiedTableBackward(
        _ gradient: Matrix, _ decoderGradient: ((Matrix) -> Void)?, _ batch: PackedBatch, sink: GradientSink,
        _ memory: LaneMemory
    ) {
        precondition(memory.allRows.lanes.count == 1, "lanes of a tied table are computed one by one")
        sink.matrix(places.wordEmbeddings) { table in
            if let decoderGradient { decoderGradient(table) } else { table.elements.fill(0) }
            let rows = readRowsGradient(gradient, batch.ids[...], memory)
            for (place, id) in rows.ids.enumerated() {
                add(rows.row(place), to: table.elements.part(from: Int(id) * shape.width, count: shape.width))
            }
            memory.spareRows.give(back: rows)
        }
    }

    /// The gradient of the word rows that a lane reads; the padding token's row has none, as in Transformers.
    private func readRowsGradient(_ gradient: Matrix, _ ids: ArraySlice<Int32>, _ memory: LaneMemory) -> SparseRows {
        memory.wordGroups.set(occurring: ids, except: shape.padding.map(Int32.init))
        let rows = memory.spareRows.take(memory.wordGroups.keys, width: shape.width)
        sumRows(gradient, by: memory.wordGroups, lanes: LaneRows(one: gradient.rows), into: rows.matrix)
        return rows
    }
}
