internal import Kernels
package import Tensors

/// A point in the network whose values can be inspected while a batch passes.
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
    /// Forward and backward pass of one packed batch, of one lane or of several that are packed together.
    ///
    /// The kernels may divide their work among a team of threads: same batch, same bits, wherever it runs. Nothing is
    /// back-propagated below the lowest trained parameter.
    /// - Parameters:
    ///   - weights: see ``weights(_:trains:state:memory:)``.
    ///   - lossScale: factor on each sample's loss gradient, 1 / normalizer of the global batch.
    ///   - recompute: keeps only the layers' outputs and recomputes everything else that the backward pass needs, layer
    ///     by layer: the same bits in less memory.
    ///   - sink: receives the gradients.
    ///   - arena: scratch memory; what the pass took of it is the caller's to give back.
    ///   - memory: used by one call at a time, reused from batch to batch.
    ///   - laneLoss: receives the sum of the losses of each lane of the batch.
    /// - Returns: the sum of the samples' losses, unscaled.
    package func laneGradient(
        _ batch: PackedBatch, _ weights: Weights, lossScale: Float, dropout: DropoutContext?,
        recompute: Bool = false,
        sink: GradientSink, arena: Arena, memory: LaneMemory = LaneMemory(), observe: StageObserver? = nil,
        laneLoss: (_ lane: Int, _ loss: Double) -> Void = { _, _ in }
    ) -> Double {
        if let features = storedFeatures(batch, arena: arena) {
            return headGradient(
                batch, features, weights, lossScale: lossScale, dropout: dropout, sink: sink, arena: arena,
                observe: observe, laneLoss: laneLoss)
        }
        memory.allRows.setAll(of: batch)
        let embeddings = embedForward(batch, memory.allRows, weights, dropout: dropout, arena: arena)
        observe?(.embeddings, embeddings.output, nil, batch)
        let branch = branch(batch.stream)
        let reading = Reading(batch, branch.head, &memory.chosenRows)
        let lowest = min(lowestTrainedLayer, branch.layers)
        let layers = LayerStack(
            model: self, batch: batch, embeddings: embeddings.output, last: branch.layers - 1, lowest: lowest,
            recompute: recompute, read: reading.read, all: memory.allRows, weights: weights, dropout: dropout,
            arena: arena, memory: memory)
        defer {
            memory.layers.removeAll(keepingCapacity: true)
            memory.allRows.forgetBatch()
        }
        var hidden = embeddings.output
        for layer in 0..<branch.layers {
            let (kept, output) = layers.keep(layer, hidden)
            memory.layers.append(kept)
            hidden = output
            observe?(.layer(layer), hidden, layers.read(layer)?.rows, batch)
        }
        var gradient: Matrix?
        var decoderGradient: ((Matrix) -> Void)?
        func losses(_ logits: Matrix) -> Double {
            observe?(.logits, logits, reading.rows.rows, batch)
            let sum = sampleLosses(
                logits, batch.targets, branch, scale: lossScale, reading.rows.lanes, laneLoss)
            observe?(.gradientOfLogits, logits, reading.rows.rows, batch)
            return sum
        }
        let loss: Double
        if branch.head == .maskedLanguageModel {
            let tape = maskedLanguageModelForward(hidden, branch.places, weights, arena: arena)
            loss = losses(tape.logits)
            gradient = maskedLanguageModelBackward(
                tape, branch.places, reading.rows.lanes, weights, sink: sink, arena: arena)
            decoderGradient = { multiply(tape.logits, .transposed, tape.features, .plain, into: $0) }
        } else {
            let tape = pooledForward(hidden, batch, reading.rows, branch, weights, dropout: dropout, arena: arena)
            loss = losses(tape.logits)
            gradient = pooledBackward(
                tape, batch, reading.rows.lanes, branch, weights, dropout: dropout,
                needsInput: lowest < branch.layers, sink: sink, arena: arena)
        }
        sink.close(headPlaces)
        for layer in branch.layers..<shape.layers { close(layer, sink) }
        let inputGradient = arena.take(rows: lowest < branch.layers ? batch.tokenCount : 0, columns: shape.width)
        for layer in (max(lowest, 0)..<max(branch.layers, lowest, 0)).reversed() {
            guard let above = gradient else { break }
            observe?(.gradientOfLayer(layer), above, layers.read(layer)?.rows, batch)
            let mark = arena.mark
            gradient = layerBackward(
                layer, above, layers.tape(of: memory.layers[layer], layer), weights, dropout: dropout,
                needsInput: layer > lowest,
                inputGradient: inputGradient, sink: sink, arena: layers.scratch)
            arena.release(to: mark)
            close(layer, sink)
        }
        if lowest < 0, let gradient {
            observe?(.gradientOfEmbeddings, gradient, nil, batch)
            embedBackward(
                gradient, embeddings, batch, weights, dropout: dropout, sink: sink, memory: memory,
                decoderGradient: decoderGradient)
        }
        sink.finish()
        return loss
    }

    /// Nothing of the pass writes this layer's gradients any more.
    private func close(_ layer: Int, _ sink: GradientSink) {
        sink.close(places.layers[layer].all)
        if let adapters = places.layers[layer].adapterPlaces { sink.close(adapters) }
    }

    /// Whether several lanes may be packed into one batch: not with a dense word table, whose gradient two passes
    /// write.
    package var joinsLanes: Bool {
        layout.sparseTable != nil || layout.entries[places.wordEmbeddings].gradientOffset == nil
    }

    /// Lowest encoder layer with a trained parameter; -1 if the embeddings are trained, L if nothing of the encoder is.
    var lowestTrainedLayer: Int {
        let trained = layout.isTrained
        if trained(0..<(places.embeddingShift + 1))
            || trained(places.wordEmbeddings..<(places.wordEmbeddings + 1))
        {
            return -1
        }
        for (layer, p) in places.layers.enumerated()
        where trained(p.projectionWeights.lowerBound..<(p.outerShift + 1))
            || p.adapters.values.contains(where: { trained($0.down..<($0.up + 1)) })
        {
            return layer
        }
        return shape.layers
    }

    /// Each row's loss; if `scale` is given, the logits become its gradient times `scale`.
    func sampleLosses(
        _ logits: Matrix, _ targets: PackedBatch.Targets, _ head: Head, _ options: LossOptions, scale: Float?
    ) -> [Double] {
        var losses: [Double] = []
        forEachLoss(logits, targets, head, options, scale: scale) { losses.append($0) }
        return losses
    }

    /// The sum of the losses, lane by lane; the logits become their gradient times `scale`.
    func sampleLosses(
        _ logits: Matrix, _ targets: PackedBatch.Targets, _ branch: Branch, scale: Float, _ lanes: LaneRows,
        _ laneLoss: (_ lane: Int, _ loss: Double) -> Void
    ) -> Double {
        var (total, sum, row, lane) = (0.0, 0.0, 0, 0)
        func endLanes() {
            while lane < lanes.count, row == lanes.rows(of: lane).upperBound {
                laneLoss(lane, sum)
                total += sum
                (sum, lane) = (0, lane + 1)
            }
        }
        endLanes()
        forEachLoss(logits, targets, branch.head, branch.loss, scale: scale) {
            sum += $0
            row += 1
            endLanes()
        }
        return total
    }

    /// As ``sampleLosses``, one loss after another.
    func forEachLoss(
        _ logits: Matrix, _ targets: PackedBatch.Targets, _ head: Head, _ options: LossOptions, scale: Float?,
        _ body: (Double) -> Void
    ) {
        func row(_ index: Int) -> FloatView { logits.rows(index..<(index + 1)).elements }
        switch targets {
        case .none: break
        case .classes(let classes), .tokens(_, let classes):
            precondition(
                classes.count == logits.rows && head.choosesOne, "\(classes.count) classes for \(logits.rows) rows")
            for (place, label) in classes.enumerated() {
                body(label < 0 ? 0 : crossEntropy(row(place), label: Int(label), options: options, scale: scale))
            }
        case .values(let values):
            let width = logits.columns
            precondition(
                values.count == logits.rows * width && !head.choosesOne,
                "\(values.count) targets for \(logits.rows) rows of \(width)")
            var isBinary = false
            if case .multiLabel = head { isBinary = true }
            for place in 0..<logits.rows {
                let own = values[(place * width)..<((place + 1) * width)]
                body(
                    isBinary
                        ? binaryCrossEntropy(row(place), targets: own, scale: scale)
                        : squaredError(row(place), targets: own, scale: scale))
            }
        }
    }
}

/// Rows of a packed batch that a head reads.
struct Reading {
    /// Rows that the last layer has to compute; nil for all of them.
    let read: ReadRows?
    /// Rows that the logits belong to: a sentence's first row if the head answers for sentences.
    let rows: ReadRows

    /// - Parameter memory: holds the rows and replaces earlier ones.
    init(_ batch: PackedBatch, _ head: Head, _ memory: inout ReadRows) {
        switch (head.pooling, batch.targets) {
        case (nil, .tokens(let rows, _)): memory.set(rows, of: batch)
        case (nil, _): preconditionFailure("a head for tokens needs to know which ones")
        case (_?, _): memory.setFirst(of: batch)
        }
        rows = memory
        read = head.pooling == .mean ? nil : memory
    }

    init(_ batch: PackedBatch, _ head: Head) {
        var memory = ReadRows()
        self.init(batch, head, &memory)
    }
}
