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
    /// Of a task with classes: how many there are, each sample's class, and the class answered.
    package var classes = 0
    package var truths: [Int32] = []
    package var answers: [Int32] = []
    /// Of a task with numbers: bit patterns of each sample's number and of the answer.
    package var numbers: [UInt32] = []
    package var answeredNumbers: [UInt32] = []
}

/// Figures of a dataset under a model.
package struct EvaluationReport: Codable, Sendable, Equatable {
    package var loss: Double
    /// Absent for regression.
    package var accuracy: Double?
    package var samples: Int
    package var further = FurtherFigures()

    /// Adds up chunks in their order.
    package init(_ chunks: [ChunkScore], isClassification: Bool) {
        samples = chunks.reduce(0) { $0 + $1.samples }
        loss = chunks.reduce(0) { $0 + $1.lossSum } / Double(max(1, samples))
        accuracy = isClassification ? Double(chunks.reduce(0) { $0 + $1.correct }) / Double(max(1, samples)) : nil
        further = Self.further(chunks)
    }

    private static func further(_ chunks: [ChunkScore]) -> FurtherFigures {
        func numbers(_ bits: [UInt32]) -> [Double] { bits.map { Double(Float(bitPattern: $0)) } }
        if let classes = chunks.map(\.classes).max(), classes > 0 {
            return FurtherFigures(ConfusionMatrix(classes: classes, truths: chunks.flatMap(\.truths), answers: chunks.flatMap(\.answers)))
        }
        let truths = numbers(chunks.flatMap(\.numbers))
        return truths.isEmpty ? FurtherFigures() : FurtherFigures(truths: truths, answers: numbers(chunks.flatMap(\.answeredNumbers)))
    }

    /// The figures in words, for somebody who waits; `metric` is among them.
    package func line(_ metric: Measure?) -> String {
        var shown: [Measure] = [.loss, .accuracy, .entityF1, .pearson, .spearman].filter { $0.value(in: self) != nil }
        if let metric, !shown.contains(metric) { shown.append(metric) }
        return shown.map { "\($0.words) \($0.value(in: self).map { decimal($0, 4) } ?? "not defined")" }.joined(separator: ", ")
    }

    /// Whether these figures are better than `other`: by the measure named, or else by accuracy, without one by loss; ties are not,
    /// and a figure that is not defined is worse than any.
    package func isBetter(than other: EvaluationReport, by measure: Measure? = nil) -> Bool {
        let measure = measure ?? .usual(self)
        guard let own = measure.value(in: self) else { return false }
        guard let best = measure.value(in: other) else { return true }
        return measure.isBetterWhenSmaller ? own < best : own > best
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
            score.answers = classes.indices.map { Int32(largestIndex(result.logits[($0 * width)..<(($0 + 1) * width)])) }
            (score.classes, score.truths) = (width, classes)
            score.correct = zip(classes, score.answers).count { $0 == $1 }
        }
        if case .values(let values) = batch.targets {
            score.numbers = values.map(\.bitPattern)
            score.answeredNumbers = result.logits.map(\.bitPattern)
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
