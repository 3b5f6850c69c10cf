internal import BERT
internal import Checkpoints
internal import Foundation
internal import Kernels
internal import Synchronization
internal import Tensors
internal import TextData

/// What a model says of one text.
package struct Answer: Sendable, Equatable {
    /// Name of the most likely class; nil for regression.
    package let label: String?
    /// Class names in their order with their probabilities; empty for regression.
    package let scores: [(name: String, probability: Double)]
    package let logits: [Float]

    package static func == (left: Answer, right: Answer) -> Bool { left.label == right.label && left.logits == right.logits }

    /// `{"label", "scores", "logits"}`; for regression label and score are the number itself.
    var line: String {
        let numbers = JSONValue.array(logits.map { .number(Double($0)) })
        guard let label else {
            return JSONValue.object([.init("label", .number(Double(logits[0]))), .init("scores", numbers), .init("logits", numbers)]).line
        }
        return JSONValue.object([
            .init("label", .string(label)), .init("scores", .object(scores.map { .init($0.name, .number($0.probability)) })),
            .init("logits", numbers),
        ]).line
    }
}

/// Labels texts with a trained model, in order.
///
/// Texts are taken in groups; within a group they are sorted by length into packed batches, so that threads get even work.
package struct Prediction: Sendable {
    private let trained: TrainedModel
    private let runner: LaneRunner

    /// Texts that are read before the first of them is answered.
    private static let group = 1_024
    /// Tokens that one packed batch holds at most, but for a single longer text.
    private static let batchTokens = 1_024

    package init(_ options: InferenceOptions) throws {
        trained = try TrainedModel(options)
        runner = LaneRunner(model: trained.model, laneCount: 1, threads: options.threads)
    }

    /// Hands a JSON line a text to `emit`.
    package func run(_ options: InferenceOptions, emit: (String) throws -> Void) throws {
        if options.input == "-" {
            var reader = try BareTextReader(FileHandle.standardInput)
            var texts: [String] = []
            while let text = try reader.next() {
                texts.append(text)
                if texts.count == Self.group {
                    try answers(texts, pairs: nil).forEach { try emit($0.line) }
                    texts.removeAll(keepingCapacity: true)
                }
            }
            try answers(texts, pairs: nil).forEach { try emit($0.line) }
            return
        }
        let columns = ColumnNames(text: options.textColumn, pair: options.pairColumn, label: nil)
        let dataset = try Dataset(path: options.input, columns: columns, labels: .unwanted)
        if dataset.pairs != nil { try trained.configuration.shape.checkPairs(model: options.model) }
        for start in stride(from: 0, to: dataset.count, by: Self.group) {
            let range = start..<min(start + Self.group, dataset.count)
            try answers(Array(dataset.texts[range]), pairs: dataset.pairs.map { Array($0[range]) }).forEach { try emit($0.line) }
        }
    }

    /// The answers to a group of texts.
    package func answers(_ texts: [String], pairs: [String]?) -> [Answer] {
        guard !texts.isEmpty else { return [] }
        let encodings = Mutex([Encoding?](repeating: nil, count: texts.count))
        let share = 64
        inParallel((texts.count + share - 1) / share, threads: runner.threads) { piece, _ in
            for place in (piece * share)..<min((piece + 1) * share, texts.count) {
                let encoding = trained.tokenizer.encode(texts[place], pair: pairs?[place], maxLength: trained.maxLength)
                encodings.withLock { $0[place] = encoding }
            }
        }
        let encoded = encodings.withLock { $0.compactMap { $0 } }
        let batches = Self.batches(encoded)
        let found = Mutex([Answer?](repeating: nil, count: texts.count))
        inParallel(batches.count, threads: runner.threads) { piece, _ in
            let members = batches[piece]
            var batch = PackedBatch()
            for place in members { batch.append(ids: encoded[place].ids, types: encoded[place].types, position: 0, sample: place) }
            let result = runner.withArena { trained.model.infer(batch, parameters: trained.parameters.view, arena: $0) }
            let width = trained.model.head.outputs(trained.model.shape)
            for (row, place) in members.enumerated() {
                let answer = answer(Array(result.logits[(row * width)..<((row + 1) * width)]))
                found.withLock { $0[place] = answer }
            }
        }
        return found.withLock { $0.compactMap { $0 } }
    }

    /// Places of texts, longest first, cut into packed batches.
    private static func batches(_ encodings: [Encoding]) -> [[Int]] {
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

    private func answer(_ logits: [Float]) -> Answer {
        guard let labels = trained.labels else { return Answer(label: nil, scores: [], logits: logits) }
        let most = logits.max() ?? 0
        let powers = logits.map { exp(Double($0 - most)) }
        let all = powers.reduce(0, +)
        return Answer(
            label: labels.names[Evaluation.largestIndex(logits[...])],
            scores: zip(labels.names, powers).map { (name: $0, probability: $1 / all) }, logits: logits)
    }
}
