internal import BERT
internal import Checkpoints
internal import Foundation
internal import TextData

/// A text as a model reads it, with the tokens that are asked for where its head answers for tokens.
struct Question: Sendable {
    let ids: [Int32]
    let types: [UInt8]
    /// Places of the tokens that are asked for, ascending.
    var asked: [Int32] = []
    /// The words whose first pieces are asked for; a word without pieces or beyond the length has no answer.
    var words: [String] = []
    var answered: [Int] = []

    init(_ text: String, pair: String?, words given: [String]?, _ trained: TrainedModel) {
        guard case .tokenClassification = trained.model.head else {
            let encoding = trained.tokenizer.encode(text, pair: pair, maxLength: trained.maxLength)
            (ids, types) = (encoding.ids, encoding.types)
            if trained.model.head == .maskedLanguageModel {
                asked = ids.indices.filter { ids[$0] == trained.tokenizer.vocabulary.specials.mask }.map { Int32($0) }
            }
            return
        }
        words = given ?? text.split { $0.isWhitespace }.map(String.init)
        let (encoding, firsts) = trained.tokenizer.encode(words: words, maxLength: trained.maxLength)
        (ids, types) = (encoding.ids, encoding.types)
        asked = firsts.map(\.token)
        answered = firsts.map(\.word)
    }
}

/// What a model says of one text.
package struct Answer: Sendable, Equatable {
    /// Name of the most likely class; nil for regression.
    package let label: String?
    /// Class names in their order with their probabilities; empty for regression. Of a head for tokens those of the first one.
    package let scores: [(name: String, probability: Double)]
    /// (C), or (R, C) for the tokens that are asked for.
    package let logits: [Float]
    /// The answer as one JSON object.
    let line: String

    package static func == (left: Answer, right: Answer) -> Bool { left.line == right.line && left.logits == right.logits }

    init(_ logits: [Float], to question: Question, _ trained: TrainedModel) {
        self.logits = logits
        let names = trained.labels?.names ?? []
        let numbers = JSONValue.array(logits.map { .number(Double($0)) })
        let width = trained.model.head.outputs(trained.model.shape)
        let rows = stride(from: 0, to: logits.count, by: width).map { Array(logits[$0..<($0 + width)]) }
        func object(_ label: JSONValue, _ scores: JSONValue, _ logits: JSONValue? = nil, words: [String]? = nil) -> String {
            var members: [JSONValue.Member] = words.map { [.init("words", .array($0.map { .string($0) }))] } ?? []
            members += [.init("label", label), .init("scores", scores)]
            if let logits { members.append(.init("logits", logits)) }
            return JSONValue.object(members).line
        }
        func listed(_ scores: [(name: String, probability: Double)]) -> JSONValue {
            .object(scores.map { .init($0.name, .number($0.probability)) })
        }
        switch trained.model.head {
        case .classification:
            scores = Self.softmax(logits, names)
            label = names[Evaluation.largestIndex(logits[...])]
            line = object(.string(label ?? ""), listed(scores), numbers)
        case .multiLabel:
            scores = zip(names, logits).map { (name: $0, probability: 1 / (1 + exp(-Double($1)))) }
            label = names[Evaluation.largestIndex(logits[...])]
            line = object(.array(zip(names, logits).filter { $1 > 0 }.map { .string($0.0) }), listed(scores), numbers)
        case .regression(let targets, _):
            (label, scores) = (nil, [])
            line = object(targets == 1 ? .number(Double(logits[0])) : numbers, numbers, numbers)
        case .tokenClassification:
            let chosen = rows.map { Evaluation.largestIndex($0[...]) }
            let probabilities = rows.map { Self.softmax($0, names) }
            var (labels, sure) = ([JSONValue](repeating: .null, count: question.words.count), [JSONValue](repeating: .null, count: question.words.count))
            for (place, word) in question.answered.enumerated() {
                labels[word] = .string(names[chosen[place]])
                sure[word] = .number(probabilities[place][chosen[place]].probability)
            }
            scores = probabilities.first ?? []
            label = chosen.first.map { names[$0] }
            let all = JSONValue.array(rows.map { .array($0.map { .number(Double($0)) }) })
            line = object(.array(labels), .array(sure), all, words: question.words)
        case .maskedLanguageModel:
            let pieces = trained.tokenizer.vocabulary.pieces
            let likely = rows.map { Self.likeliest(Self.softmax($0, pieces), 5) }
            scores = likely.first ?? []
            label = likely.first?.first?.name
            line = object(.array(likely.compactMap { $0.first.map { .string($0.name) } }), .array(likely.map(listed)))
        }
    }

    private static func softmax(_ logits: [Float], _ names: [String]) -> [(name: String, probability: Double)] {
        let most = logits.max() ?? 0
        let powers = logits.map { exp(Double($0 - most)) }
        let all = powers.reduce(0, +)
        return zip(names, powers).map { (name: $0, probability: $1 / all) }
    }

    private static func likeliest(_ scores: [(name: String, probability: Double)], _ count: Int) -> [(name: String, probability: Double)] {
        let order = scores.indices.sorted { (scores[$1].probability, $0) < (scores[$0].probability, $1) }
        return order.prefix(count).map { scores[$0] }
    }
}
