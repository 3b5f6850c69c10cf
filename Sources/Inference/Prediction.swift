internal import BERT
package import Configuration
internal import Learning
internal import Synchronization
internal import Tensors

/// Answers groups of texts with a trained model.
///
/// Within a group texts are sorted by length into packed batches, so that threads get equal work.
package struct Prediction: Sendable {
    let trained: TrainedModel
    private let runner: LaneRunner
    private let weights: Weights

    /// Most tokens of a packed batch, except for a single longer text.
    static let batchTokens = 1_024

    /// Whether the model was trained on pairs of texts; nil if its folder does not say.
    package var readsPairs: Bool? { trained.readsPairs }

    /// Whether there is one answer per text, not per word.
    package var answersForTexts: Bool { trained.model.head.pooling != nil }

    package init(_ options: InferenceOptions) throws {
        trained = try TrainedModel(options)
        runner = LaneRunner(model: trained.model, laneCount: 1, threads: options.threads)
        weights = runner.weights(trained.parameters.view, trains: false)
    }

    /// The answers to a group of texts.
    /// - Parameter words: the texts' words, if known; otherwise texts are split at spaces.
    package func answers(_ texts: [String], pairs: [String]?, words: [[String]]? = nil) -> [Answer] {
        guard !texts.isEmpty else { return [] }
        let questions = Mutex([Question?](repeating: nil, count: texts.count))
        let share = 64
        inParallel((texts.count + share - 1) / share, threads: runner.threads) { piece in
            for place in (piece * share)..<min((piece + 1) * share, texts.count) {
                let question = Question(texts[place], pair: pairs?[place], words: words?[place], trained)
                questions.withLock { $0[place] = question }
            }
        }
        let encoded = questions.withLock { $0.compactMap { $0 } }
        let batches = Self.batches(encoded)
        let found = Mutex([Answer?](repeating: nil, count: texts.count))
        inParallel(batches.count, threads: runner.threads) { piece in
            let members = batches[piece]
            var batch = PackedBatch()
            var rows: [Int32] = []
            for place in members {
                rows += encoded[place].asked.map { Int32(batch.tokenCount) + $0 }
                batch.append(ids: encoded[place].ids, types: encoded[place].types, position: 0, sample: place)
            }
            if trained.model.head.pooling == nil { batch.targets = .tokens(rows: rows, classes: rows.map { _ in -1 }) }
            let result = runner.withArena { trained.model.infer(batch, weights, arena: $0) }
            let width = trained.model.head.outputs(trained.model.shape)
            var row = 0
            for place in members {
                let count = trained.model.head.pooling == nil ? encoded[place].asked.count : 1
                let answer = Answer(
                    Array(result.logits[(row * width)..<((row + count) * width)]), to: encoded[place], trained)
                row += count
                found.withLock { $0[place] = answer }
            }
        }
        return found.withLock { $0.compactMap { $0 } }
    }

    /// Indices of texts, longest first, cut into packed batches.
    private static func batches(_ encodings: [Question]) -> [[Int]] {
        let order = encodings.indices.sorted { (encodings[$1].ids.count, $0) < (encodings[$0].ids.count, $1) }
        var batches: [[Int]] = []
        var tokens = 0
        for place in order {
            let count = encodings[place].ids.count
            if batches.isEmpty || tokens + count > batchTokens {
                batches.append([])
                tokens = 0
            }
            batches[batches.count - 1].append(place)
            tokens += count
        }
        return batches
    }
}
