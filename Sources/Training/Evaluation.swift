package import BERT
internal import Synchronization
package import Tensors
package import TextData

/// What one fixed chunk of sentences adds to the figures of an evaluation.
package struct ChunkScore: Codable, Sendable, Equatable {
    package var lossSum = 0.0
    package var samples = 0
    /// Samples whose largest logit is their class.
    package var correct = 0
}

/// Figures of a dataset under a model.
package struct EvaluationReport: Codable, Sendable, Equatable {
    package var loss: Double
    /// Absent for regression.
    package var accuracy: Double?
    package var samples: Int

    /// Adds up chunks in their order.
    package init(_ chunks: [ChunkScore], isClassification: Bool) {
        samples = chunks.reduce(0) { $0 + $1.samples }
        loss = chunks.reduce(0) { $0 + $1.lossSum } / Double(max(1, samples))
        accuracy = isClassification ? Double(chunks.reduce(0) { $0 + $1.correct }) / Double(max(1, samples)) : nil
    }

    /// Whether these figures are better than `other`: by accuracy, without one by loss; ties are not.
    package func isBetter(than other: EvaluationReport) -> Bool {
        if let accuracy, let best = other.accuracy { return accuracy > best }
        return loss < other.loss
    }
}

/// Evaluation over fixed chunks of sentences, each computed whole by one thread, so that its figures have the same bits
/// on any number of threads and workers.
package enum Evaluation {
    package static let chunkSize = 32

    package static func chunks(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: chunkSize).map { $0..<min($0 + chunkSize, count) }
    }

    package static func score(_ batch: PackedBatch, model: BERTModel, parameters: FloatView, arena: Arena) -> ChunkScore {
        let result = model.infer(batch, parameters: parameters, arena: arena)
        var score = ChunkScore(lossSum: result.losses.reduce(0, +), samples: batch.sentenceCount)
        if case .classes(let classes) = batch.targets {
            let width = model.head.outputs(model.shape)
            score.correct = classes.enumerated().count { place, label in
                largestIndex(result.logits[(place * width)..<((place + 1) * width)]) == Int(label)
            }
        }
        return score
    }

    /// Place of the largest value, the first of equals.
    package static func largestIndex(_ values: ArraySlice<Float>) -> Int {
        var best = values.startIndex
        for place in values.indices where values[place] > values[best] { best = place }
        return best - values.startIndex
    }

    /// Scores the whole dataset on the runner's threads.
    package static func run(_ dataset: TokenizedDataset, runner: LaneRunner, parameters: FloatView) -> EvaluationReport {
        let chunks = chunks(of: dataset.count)
        let scores = Mutex([ChunkScore](repeating: ChunkScore(), count: chunks.count))
        inParallel(chunks.count, threads: runner.threads) { piece, _ in
            let score = runner.withArena { arena in
                Self.score(PackedBatch(chunks[piece], of: dataset), model: runner.model, parameters: parameters, arena: arena)
            }
            scores.withLock { $0[piece] = score }
        }
        return EvaluationReport(scores.withLock { $0 }, isClassification: runner.model.head != .regression)
    }
}
