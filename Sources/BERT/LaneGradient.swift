internal import Kernels
package import Tensors

/// A place in the network whose values can be looked at while a batch passes.
package enum Stage: Sendable, Equatable, CustomStringConvertible {
    case embeddings
    case layer(Int)
    case logits
    case gradientOfLogits
    case gradientOfLayer(Int)
    case gradientOfEmbeddings

    package var description: String {
        switch self {
        case .embeddings: "output of the embeddings"
        case .layer(let layer): "output of encoder layer \(layer)"
        case .logits: "logits"
        case .gradientOfLogits: "gradient of the logits"
        case .gradientOfLayer(let layer): "gradient entering encoder layer \(layer) from above"
        case .gradientOfEmbeddings: "gradient of the embeddings' output"
        }
    }
}

/// Sees each stage's values; `rows` names the packed rows they belong to, nil for all of them in order.
package typealias StageObserver = (_ stage: Stage, _ values: Matrix, _ rows: [Int32]?, _ batch: PackedBatch) -> Void

extension BERTModel {
    /// Forward and backward pass of one lane's packed batch.
    ///
    /// The lane is computed whole, by the calling thread: same batch, same bits, wherever it runs. Nothing is
    /// back-propagated below the lowest trained parameter.
    /// - Parameters:
    ///   - parameters: (layout.count) weights.
    ///   - lossScale: factor on each sample's loss gradient, 1 / normalizer of the global batch.
    ///   - recompute: keeps the layers' outputs alone and computes what else the backward pass needs a second time, layer
    ///     by layer: the same bits in less memory.
    ///   - sink: receives the gradients.
    /// - Returns: the sum of the samples' losses, unscaled.
    package func laneGradient(
        _ batch: PackedBatch, parameters: FloatView, lossScale: Float, dropout: DropoutContext?, recompute: Bool = false,
        sink: GradientSink, arena: Arena, observe: StageObserver? = nil
    ) -> Double {
        let weights = Weights(layout: layout, values: parameters)
        let embeddings = embedForward(batch, weights, dropout: dropout, arena: arena)
        observe?(.embeddings, embeddings.output, nil, batch)
        let read = readRows(batch)
        let layers = LayerStack(model: self, batch: batch, read: read, weights: weights, dropout: dropout, arena: arena)
        var kept: [KeptLayer] = []
        var hidden = embeddings.output
        for layer in 0..<shape.layers {
            let result = recompute ? layers.output(layer, hidden) : layers.tape(layer, hidden)
            kept.append(result)
            hidden = result.output
            observe?(.layer(layer), hidden, layer == shape.layers - 1 ? read.rows : nil, batch)
        }
        let lowest = lowestTrainedLayer
        var loss = 0.0
        var gradient: Matrix?
        var decoderGradient: ((Matrix) -> Void)?
        switch head {
        case .classification, .regression:
            let tape = pooledForward(hidden, batch, weights, dropout: dropout, arena: arena)
            observe?(.logits, tape.logits, read.rows, batch)
            loss = sampleLosses(tape.logits, batch.targets, scale: lossScale).reduce(0, +)
            observe?(.gradientOfLogits, tape.logits, read.rows, batch)
            gradient = pooledBackward(tape, weights, dropout: dropout, needsInput: lowest < shape.layers, sink: sink, arena: arena)
        case .maskedLanguageModel:
            let tape = maskedLanguageModelForward(hidden, weights, arena: arena)
            observe?(.logits, tape.logits, read.rows, batch)
            loss = sampleLosses(tape.logits, batch.targets, scale: lossScale).reduce(0, +)
            observe?(.gradientOfLogits, tape.logits, read.rows, batch)
            gradient = maskedLanguageModelBackward(tape, weights, sink: sink, arena: arena)
            decoderGradient = { multiply(tape.logits, .transposed, tape.features, .plain, into: $0) }
        }
        let inputGradient = arena.take(rows: lowest < shape.layers ? batch.tokenCount : 0, columns: shape.width)
        for layer in (max(lowest, 0)..<max(shape.layers, lowest, 0)).reversed() {
            guard let above = gradient else { break }
            observe?(.gradientOfLayer(layer), above, layer == shape.layers - 1 ? read.rows : nil, batch)
            let mark = arena.mark
            gradient = layerBackward(
                layer, above, layers.tape(of: kept[layer], layer), weights, dropout: dropout, needsInput: layer > lowest,
                inputGradient: inputGradient, sink: sink, arena: arena)
            arena.release(to: mark)
        }
        if lowest < 0, let gradient {
            observe?(.gradientOfEmbeddings, gradient, nil, batch)
            embedBackward(gradient, embeddings, batch, weights, dropout: dropout, sink: sink)
            if let decoderGradient { tiedTableBackward(gradient, decoderGradient, batch, sink: sink) }
        }
        return loss
    }

    /// Rows that the head reads.
    func readRows(_ batch: PackedBatch) -> ReadRows {
        if case .words(let rows, _) = batch.targets { return ReadRows(rows, of: batch) }
        return ReadRows(firstOf: batch)
    }

    /// Lowest encoder layer with a trained parameter; -1 where the embeddings are trained, L where nothing of the encoder is.
    var lowestTrainedLayer: Int {
        func trained(_ range: Range<Int>) -> Bool { range.contains { layout.entries[$0].gradientOffset != nil } }
        if trained(0..<(places.embeddingShift + 1)) || layout.entries[places.wordEmbeddings].gradientOffset != nil { return -1 }
        for (layer, p) in places.layers.enumerated()
        where trained(p.projectionWeights.lowerBound..<(p.outerShift + 1)) || p.adapters.values.contains(where: { trained($0.down..<($0.up + 1)) }) {
            return layer
        }
        return shape.layers
    }

    /// Each sample's loss; where `scale` is given the logits become its gradient times `scale`.
    func sampleLosses(_ logits: Matrix, _ targets: PackedBatch.Targets, scale: Float?) -> [Double] {
        func row(_ index: Int) -> FloatView { logits.rows(index..<(index + 1)).elements }
        switch targets {
        case .none:
            return []
        case .classes(let classes):
            precondition(classes.count == logits.rows, "\(classes.count) labels for \(logits.rows) rows")
            return classes.enumerated().map { crossEntropy(row($0), label: Int($1), scale: scale) }
        case .values(let values):
            precondition(values.count == logits.rows, "\(values.count) targets for \(logits.rows) rows")
            return values.enumerated().map { squaredError(row($0), target: $1, scale: scale) }
        case .words(_, let ids):
            precondition(ids.count == logits.rows, "\(ids.count) words for \(logits.rows) rows")
            return ids.enumerated().map { crossEntropy(row($0), label: Int($1), scale: scale) }
        }
    }
}
