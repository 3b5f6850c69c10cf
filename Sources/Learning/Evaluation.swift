package import BERT
internal import Synchronization
package import Tensors
package import TextData
internal import Wording

/// The contribution of one fixed chunk of sentences to an evaluation.
package struct ChunkScore: Codable, Sendable, Equatable {
    package var lossSum = 0.0
    /// The count for the mean loss: samples, outputs, or tokens with answers.
    package var lossCount = 0
    package var samples = 0
    /// Number of answers: samples, their labels, or tokens with answers.
    package var asked = 0
    /// Number of correct answers: the largest logit is the class, or a label's logit has the right sign.
    package var correct = 0
    /// For a task with classes: each answer's class, and the class answered; with several labels 1 or 0 for each of
    /// them.
    package var truths: [Int32] = []
    package var answers: [Int32] = []
    /// For a token task: how many of the answers each sentence has.
    package var tokens: [Int32] = []
    /// For regression: bit patterns of each number and of the answer.
    package var numbers: [UInt32] = []
    package var answeredNumbers: [UInt32] = []
}

extension Head {
    /// Most bytes of a sample's part of a ``ChunkScore`` in a message.
    /// - Parameter length: most tokens of a sample.
    package func mostScoreBytes(length: Int) -> Int {
        /// Two numbers up to `most` with a comma each.
        func pair(_ most: Int) -> Int { 2 * (String(most).count + 1) }
        return switch self {
        case .classification(let labels, _): pair(labels)
        case .tokenClassification(let labels): pair(labels) * length + pair(length)
        case .multiLabel(let labels, _): pair(1) * labels
        case .regression(let targets, _): pair(Int(UInt32.max)) * targets
        case .maskedLanguageModel: 0
        }
    }
}

extension ChunkScore {
    /// Whether these figures are possible for this many samples under a head.
    package func fits(_ head: Head, samples: Int) -> Bool {
        guard self.samples == samples, (0...Int(Int32.max)).contains(lossCount), (0...Int(Int32.max)).contains(asked),
            (0...asked).contains(correct),
            truths.count == answers.count, numbers.count == answeredNumbers.count
        else { return false }
        func areClasses(_ count: Int) -> Bool { (truths + answers).allSatisfy { (0..<Int32(count)).contains($0) } }
        switch head {
        case .classification(let labels, _): return truths.count == samples && areClasses(labels)
        case .tokenClassification(let labels):
            return areClasses(labels) && tokens.count == samples && tokens.allSatisfy { $0 >= 0 }
                && tokens.reduce(0) { $0 + Int($1) } == truths.count
        case .multiLabel(let labels, _): return truths.count == samples * labels && areClasses(2)
        case .regression(let targets, _): return numbers.count == samples * targets
        case .maskedLanguageModel: return truths.isEmpty
        }
    }
}

/// Figures of a dataset under a model.
package struct EvaluationReport: Codable, Sendable, Equatable {
    package var loss: Double
    /// Absent for regression.
    package var accuracy: Double?
    package var samples: Int
    package var further = FurtherFigures()

    /// Adds up chunks in their order.
    /// - Parameter names: of the classes, if they are tags.
    /// - Parameter scores: of the answers, and their data.
    package init(
        _ chunks: [ChunkScore], _ head: Head, names: [String]? = nil,
        scores: (EvaluationScores, TokenizedDataset)? = nil
    ) {
        samples = chunks.reduce(0) { $0 + $1.samples }
        loss = chunks.reduce(0) { $0 + $1.lossSum } / Double(max(1, chunks.reduce(0) { $0 + $1.lossCount }))
        further = Self.further(chunks, head, names)
        if further.f1 != nil { further.labels = names }
        if let (scores, dataset) = scores { further.add(scores, of: dataset, head) }
        if case .regression = head { return }
        accuracy = Double(chunks.reduce(0) { $0 + $1.correct }) / Double(max(1, chunks.reduce(0) { $0 + $1.asked }))
    }

    private static func further(_ chunks: [ChunkScore], _ head: Head, _ names: [String]?) -> FurtherFigures {
        func numbers(_ bits: [UInt32]) -> [Double] { bits.map { Double(Float(bitPattern: $0)) } }
        let (truths, answers) = (chunks.flatMap(\.truths), chunks.flatMap(\.answers))
        switch head {
        case .classification(let labels, _):
            return FurtherFigures(ConfusionMatrix(classes: labels, truths: truths, answers: answers))
        case .tokenClassification(let labels):
            var figures = FurtherFigures(ConfusionMatrix(classes: labels, truths: truths, answers: answers))
            if let names { figures.add(EntityScores(truths, answers, tokens: chunks.flatMap(\.tokens), names: names)) }
            return figures
        case .multiLabel(let labels, _): return FurtherFigures(flags: truths, answers: answers, labels: labels)
        case .regression(let targets, _):
            return FurtherFigures(
                truths: numbers(chunks.flatMap(\.numbers)), answers: numbers(chunks.flatMap(\.answeredNumbers)),
                targets: targets)
        case .maskedLanguageModel: return FurtherFigures()
        }
    }

    /// The figures as text for progress lines, including `metric`.
    package func line(_ metric: Measure?) -> String {
        var shown: [Measure] = [.loss, .accuracy, .exactMatch, .entityF1, .pearson, .spearman].filter {
            $0.value(in: self) != nil
        }
        if let metric, !shown.contains(metric) { shown.append(metric) }
        return shown.map { "\($0.words(in: self)) \($0.value(in: self).map { decimal($0, 4) } ?? "not defined")" }
            .joined(separator: ", ")
    }

    /// Whether these figures are better than `other`: by the given measure, else by accuracy, or by loss if there is
    /// none; ties are not, and an undefined figure is worse than any other.
    package func isBetter(than other: EvaluationReport, by measure: Measure? = nil) -> Bool {
        let measure = measure ?? .usual(self)
        guard let own = measure.value(in: self), !own.isNaN else { return false }
        guard let best = measure.value(in: other), !best.isNaN else { return true }
        return measure.isBetterWhenSmaller ? own < best : own > best
    }
}

/// The result of an evaluation.
package struct Evaluated: Sendable {
    package let report: EvaluationReport
    /// Nil for a task without classes or numbers.
    package let scores: EvaluationScores?

    package init(report: EvaluationReport, scores: EvaluationScores?) {
        self.report = report
        self.scores = scores
    }
}

/// Evaluation over fixed chunks of sentences, each computed by one thread, so that its figures have the same bits
/// on any number of threads and workers.
package enum Evaluation {
    /// Samples of a chunk, which one thread computes whole.
    package static let chunkSize = 32

    /// The ranges of `count` samples that are scored together; the last one may be short.
    package static func chunks(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: chunkSize).map { $0..<min($0 + chunkSize, count) }
    }

    /// The number of tokens with answers in each sentence.
    private static func tokens(_ rows: [Int32], _ batch: PackedBatch) -> [Int32] {
        var counts = [Int32](repeating: 0, count: batch.sentenceCount)
        var sentence = 0
        for row in rows {
            while row >= batch.offsets[sentence + 1] { sentence += 1 }
            counts[sentence] += 1
        }
        return counts
    }

    /// - Parameter keep: receives the logits.
    package static func score(
        _ batch: PackedBatch, model: BERTModel, _ weights: Weights, arena: Arena, keep: ([Float]) -> Void = { _ in }
    ) -> ChunkScore {
        let result = model.infer(batch, weights, arena: arena)
        keep(result.logits)
        let head = model.head(of: batch.stream)
        let width = head.outputs(model.shape)
        var score = ChunkScore(
            lossSum: result.losses.reduce(0, +), lossCount: result.losses.count, samples: batch.sentenceCount)
        switch batch.targets {
        case .none: break
        case .classes(let classes), .tokens(_, let classes):
            let answers = classes.indices.map { Int32(largestIndex(result.logits[($0 * width)..<(($0 + 1) * width)])) }
            score.asked = classes.count
            score.correct = zip(classes, answers).count { $0 == $1 }
            if head != .maskedLanguageModel { (score.truths, score.answers) = (classes, answers) }
            if case .tokens(let rows, _) = batch.targets { score.tokens = tokens(rows, batch) }
        case .values(let values):
            score.lossCount = values.count
            guard case .multiLabel = head else {
                score.numbers = values.map(\.bitPattern)
                score.answeredNumbers = result.logits.map(\.bitPattern)
                break
            }
            score.truths = values.map { $0 > 0.5 ? 1 : 0 }
            score.answers = result.logits.map { $0 > 0 ? 1 : 0 }
            score.asked = values.count
            score.correct = zip(score.truths, score.answers).count { $0 == $1 }
        }
        return score
    }

    /// Index of the largest value, the first among equals.
    package static func largestIndex(_ values: ArraySlice<Float>) -> Int {
        var best = values.startIndex
        for place in values.indices where values[place] > values[best] { best = place }
        return best - values.startIndex
    }

    /// Features of a fixed chunk, copied from the arena.
    package static func features(_ batch: PackedBatch, model: BERTModel, _ weights: Weights, arena: Arena) -> [Float] {
        model.features(batch, weights, arena: arena).elements.array
    }

    /// The features of a dataset, chunk by chunk, on the runner's threads.
    /// - Throws: ``StoppedBetweenSteps`` soon after `stop` asks for it.
    package static func features(
        of dataset: TokenizedDataset, runner: LaneRunner, parameters: FloatView, stop: StopRequest,
        progress: @Sendable (_ samples: Int) -> Void = { _ in }
    ) throws(StoppedBetweenSteps) -> FeatureStore {
        let chunks = chunks(of: dataset.count)
        let weights = runner.weights(parameters, trains: false)
        let store = FeatureStore(samples: dataset.count, width: runner.model.shape.width)
        inParallel(chunks.count, threads: runner.threads) { piece in
            guard stop.signal == nil else { return }
            runner.withArena { arena in
                store.set(
                    chunks[piece],
                    runner.model.features(PackedBatch(chunks[piece], of: dataset), weights, arena: arena).elements)
            }
            progress(chunks[piece].count)
        }
        try stop.check()
        return store
    }

    /// Scores the whole dataset, or only some of its chunks, on the runner's threads.
    /// - Parameter scored: told of each chunk's samples once they are scored.
    /// - Throws: ``StoppedBetweenSteps`` soon after `stop` asks for it.
    package static func run(
        _ dataset: TokenizedDataset, _ stream: TaskStream = .target, runner: LaneRunner, parameters: FloatView,
        features: FeatureStore? = nil, names: [String]? = nil, only some: [Range<Int>]? = nil,
        counting scored: ScoredSamples? = nil, stop: StopRequest = StopRequest()
    ) throws(StoppedBetweenSteps) -> Evaluated {
        let chunks = some ?? chunks(of: dataset.count)
        let head = runner.model.head(of: stream)
        let kept = some == nil ? ScorePlan(dataset, head, runner.model.shape).map(EvaluationScores.init) : nil
        let weights = runner.weights(parameters, trains: false)
        scored?.begin(of: chunks.reduce(0) { $0 + $1.count })
        let scores = Mutex([ChunkScore](repeating: ChunkScore(), count: chunks.count))
        inParallel(chunks.count, threads: runner.threads) { piece in
            guard stop.signal == nil else { return }
            let score = runner.withArena { arena in
                Self.score(
                    PackedBatch(chunks[piece], of: dataset, stream: stream).with(features), model: runner.model,
                    weights, arena: arena
                ) { logits in
                    if let kept, kept.plan.keeps(piece) { kept.part(of: piece).copy(from: logits) }
                }
            }
            scores.withLock { $0[piece] = score }
            scored?.add(chunks[piece].count)
        }
        try stop.check()
        let report = EvaluationReport(scores.withLock { $0 }, head, names: names, scores: kept.map { ($0, dataset) })
        return Evaluated(report: report, scores: kept)
    }
}
