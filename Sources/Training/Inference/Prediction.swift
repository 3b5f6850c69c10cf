internal import BERT
internal import Checkpoints
internal import Foundation
internal import Kernels
internal import Synchronization
internal import Tensors
internal import TextData

/// Labels texts with a trained model, a JSON line a text, in order.
///
/// Texts are taken in groups; within a group they are sorted by length into packed batches, so that threads get even work.
struct Prediction {
    private let trained: TrainedModel
    private let runner: LaneRunner

    /// Texts that are read before the first of them is answered.
    private static let group = 1_024
    /// Tokens that one packed batch holds at most, but for a single longer text.
    private static let batchTokens = 1_024

    init(_ options: InferenceOptions) throws {
        trained = try TrainedModel(options)
        runner = LaneRunner(model: trained.model, laneCount: 1, threads: options.threads)
    }

    func run(_ options: InferenceOptions, emit: (String) throws -> Void) throws {
        if options.input == "-" {
            var reader = try BareTextReader(FileHandle.standardInput)
            var texts: [String] = []
            while let text = try reader.next() {
                texts.append(text)
                if texts.count == Self.group {
                    try answer(texts, pairs: nil, emit)
                    texts.removeAll(keepingCapacity: true)
                }
            }
            try answer(texts, pairs: nil, emit)
            return
        }
        let columns = ColumnNames(text: options.textColumn, pair: options.pairColumn, label: nil)
        let dataset = try Dataset(path: options.input, columns: columns, labels: .unwanted)
        for start in stride(from: 0, to: dataset.count, by: Self.group) {
            let range = start..<min(start + Self.group, dataset.count)
            try answer(Array(dataset.texts[range]), pairs: dataset.pairs.map { Array($0[range]) }, emit)
        }
    }

    private func answer(_ texts: [String], pairs: [String]?, _ emit: (String) throws -> Void) throws {
        guard !texts.isEmpty else { return }
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
        let lines = Mutex([String](repeating: "", count: texts.count))
        inParallel(batches.count, threads: runner.threads) { piece, _ in
            let members = batches[piece]
            var batch = PackedBatch()
            for place in members { batch.append(ids: encoded[place].ids, types: encoded[place].types, position: 0, sample: place) }
            let result = runner.withArena { trained.model.infer(batch, parameters: trained.parameters.view, arena: $0) }
            let width = trained.model.head.outputs(trained.model.shape)
            for (row, place) in members.enumerated() {
                let line = line(Array(result.logits[(row * width)..<((row + 1) * width)]))
                lines.withLock { $0[place] = line }
            }
        }
        for line in lines.withLock({ $0 }) { try emit(line) }
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

    /// `{"label", "scores", "logits"}`; for regression the label is the number itself.
    private func line(_ logits: [Float]) -> String {
        let numbers = JSONValue.array(logits.map { .number(Double($0)) })
        guard let labels = trained.labels else {
            return JSONValue.object([.init("label", .number(Double(logits[0]))), .init("scores", numbers), .init("logits", numbers)]).line
        }
        let most = logits.max() ?? 0
        let powers = logits.map { exp(Double($0 - most)) }
        let all = powers.reduce(0, +)
        let best = Evaluation.largestIndex(logits[...])
        return JSONValue.object([
            .init("label", .string(labels.names[best])),
            .init("scores", .object(zip(labels.names, powers).map { .init($0, .number($1 / all)) })), .init("logits", numbers),
        ]).line
    }
}
