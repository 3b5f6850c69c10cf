package import BERT
package import Tensors
package import TextData

/// Which of a dataset's answers keep their scores: those of every n-th chunk, so that memory and files are bounded.
package struct ScorePlan: Sendable {
    /// C, scores per answer.
    package let width: Int
    /// Every n-th chunk keeps its scores.
    package let every: Int
    /// The start of each chunk's answers among all of the dataset's; one more than there are chunks.
    private let offsets: [Int]

    /// Most floats to keep: 64 MiB.
    package static let mostValues = 1 << 24
    /// Most bytes of a chunk's scores: a worker sends them in one frame.
    package static let longestChunk = 15 << 20

    /// Nil for a head without classes or numbers, or if a chunk's scores do not fit into one frame of a link.
    /// - Parameter most: most floats to keep.
    package init?(_ dataset: TokenizedDataset, _ head: Head, _ shape: BERTShape, most: Int = mostValues) {
        guard head != .maskedLanguageModel else { return nil }
        let chunks = Evaluation.chunks(of: dataset.count)
        var offsets = [0]
        for chunk in chunks {
            let rows =
                if case .tokens(let labels) = dataset.labels {
                    labels.offsets[chunk.upperBound] - labels.offsets[chunk.lowerBound]
                } else { chunk.count }
            offsets.append(offsets[offsets.count - 1] + rows)
        }
        width = head.outputs(shape)
        let largest = zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0
        guard
            largest * width * MemoryLayout<Float>.stride
                <= min(Self.longestChunk, most * MemoryLayout<Float>.stride)
        else { return nil }
        self.offsets = offsets
        var every = 1
        while Self.kept(offsets, every) * width > most { every += 1 }
        self.every = every
    }

    private static func kept(_ offsets: [Int], _ every: Int) -> Int {
        stride(from: 0, to: offsets.count - 1, by: every).reduce(0) { $0 + offsets[$1 + 1] - offsets[$1] }
    }

    /// Whether the scores of a chunk are kept.
    package func keeps(_ chunk: Int) -> Bool { chunk % every == 0 }
    package var chunks: StrideTo<Int> { stride(from: 0, to: offsets.count - 1, by: every) }
    /// The range of a chunk's answers in the dataset's.
    package func answers(of chunk: Int) -> Range<Int> { offsets[chunk]..<offsets[chunk + 1] }
    package var keptCount: Int { Self.kept(offsets, every) }
}

/// The scores of an evaluation: each answer's logits.
package struct EvaluationScores: Sendable {
    package let plan: ScorePlan
    /// (R, C) of the kept answers, chunk after chunk.
    private let values: FloatBuffer
    /// The start of each kept chunk's answers in `values`.
    private let starts: [Int: Int]

    package init(_ plan: ScorePlan) {
        self.plan = plan
        values = FloatBuffer(count: plan.keptCount * plan.width)
        var (starts, row) = ([Int: Int](), 0)
        for chunk in plan.chunks {
            starts[chunk] = row
            row += plan.answers(of: chunk).count
        }
        self.starts = starts
    }

    /// Number of kept answers.
    package var count: Int { plan.keptCount }

    /// The kept part of a chunk; different chunks may be written by different threads.
    package func part(of chunk: Int) -> FloatView {
        guard let start = starts[chunk] else { preconditionFailure("the scores of chunk \(chunk) are not kept") }
        return values.view.part(from: start * plan.width, count: plan.answers(of: chunk).count * plan.width)
    }

    package var logits: FloatView { values.view }

    /// The kept answers' indices among all answers of the dataset, in the order of the logits.
    package var answers: [Int] { plan.chunks.flatMap { Array(plan.answers(of: $0)) } }
}
