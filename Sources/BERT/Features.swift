internal import Kernels
package import Tensors

/// The output of a frozen encoder for each text, computed once; afterwards only the head is computed.
///
/// Values are computed in fixed chunks of the dataset, so that their bits do not depend on who computes them.
package struct FeatureStore: Sendable {
    /// (N, D): the head's input for each sample.
    package let values: Matrix

    package init(samples: Int, width: Int) {
        values = Matrix(FloatBuffer(count: samples * width).view, rows: samples, columns: width)
    }

    package var byteCount: Int { values.rows * values.columns * MemoryLayout<Float>.stride }

    /// Sets the features of consecutive samples.
    package func set(_ samples: Range<Int>, _ features: FloatView) {
        values.rows(samples).elements.copy(from: features)
    }
}

extension PackedBatch {
    /// The same samples and targets with the encoder's output instead of their tokens: one row per sentence.
    package func with(_ store: FeatureStore?) -> PackedBatch {
        var batch = self
        if let store { batch.replaceTokens(with: store) }
        return batch
    }

    /// Replaces the tokens by the encoder's output, in the same memory: the first token of each sentence remains.
    package mutating func replaceTokens(with store: FeatureStore) {
        features.removeAll(keepingCapacity: true)
        for (sentence, sample) in samples.enumerated() {
            ids[sentence] = ids[Int(offsets[sentence])]
            store.values.rows(sample..<(sample + 1)).elements.withSpan { values in
                for place in values.indices { features.append(values[place]) }
            }
        }
        let count = sentenceCount
        ids.removeLast(ids.count - count)
        positions.removeAll(keepingCapacity: true)
        positions.append(contentsOf: repeatElement(0, count: count))
        types.removeAll(keepingCapacity: true)
        types.append(contentsOf: repeatElement(0, count: count))
        offsets.removeAll(keepingCapacity: true)
        offsets.append(contentsOf: 0...Int32(count))
    }
}

extension BERTModel {
    /// Whether a text's features are the same at every step: the encoder is frozen and has no dropout.
    package var hasFixedFeatures: Bool { lowestTrainedLayer == shape.layers && readsOneRow && !hasEncoderDropout }

    /// Whether features would be fixed without dropout.
    package var isHeldBackByDropout: Bool { lowestTrainedLayer == shape.layers && readsOneRow && hasEncoderDropout }

    private var hasEncoderDropout: Bool { shape.hiddenDropout > 0 || shape.attentionDropout > 0 }

    /// Whether only one row per sentence is read, and no other task shares the encoder.
    private var readsOneRow: Bool { head.pooling != nil && source == nil }

    /// The head's input for each sentence (S, D): the encoder's output for [CLS], or the mean over the tokens.
    package func features(_ batch: PackedBatch, _ weights: Weights, arena: Arena) -> Matrix {
        let hidden = encode(batch, weights, layers: shape.layers, read: Reading(batch, head).read, arena: arena)
        guard head.pooling == .mean else { return hidden }
        let means = arena.take(rows: batch.sentenceCount, columns: shape.width)
        meanRows(hidden, offsets: batch.offsets, into: means)
        return means
    }

    /// The features that a batch contains, if any.
    func storedFeatures(_ batch: PackedBatch, arena: Arena) -> Matrix? {
        guard !batch.features.isEmpty else { return nil }
        let features = arena.take(rows: batch.sentenceCount, columns: shape.width)
        features.elements.copy(from: batch.features)
        return features
    }

    /// As ``laneGradient`` for a batch with features: only pooler and head are computed.
    func headGradient(
        _ batch: PackedBatch, _ features: Matrix, _ weights: Weights, lossScale: Float, dropout: DropoutContext?,
        sink: GradientSink,
        arena: Arena, observe: StageObserver?, laneLoss: (_ lane: Int, _ loss: Double) -> Void
    ) -> Double {
        let branch = branch(batch.stream)
        let rows = ReadRows(firstOf: batch)
        let tape = pooledForward(features, batch, rows, branch, weights, dropout: dropout, arena: arena)
        observe?(.logits, tape.logits, rows.rows, batch)
        let loss = sampleLosses(tape.logits, batch.targets, branch, scale: lossScale, rows.lanes, laneLoss)
        observe?(.gradientOfLogits, tape.logits, rows.rows, batch)
        _ = pooledBackward(
            tape, batch, rows.lanes, branch, weights, dropout: dropout, needsInput: false, sink: sink, arena: arena)
        sink.finish()
        return loss
    }
}
