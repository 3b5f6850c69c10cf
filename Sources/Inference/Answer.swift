internal import BERT
internal import Files
internal import Kernels
internal import Learning
internal import TextData

/// A model's answer for one text.
package struct Answer: Sendable, Equatable {
    /// Name of the most likely class; nil for regression.
    package let label: String?
    /// Class names in their order with their probabilities; empty for regression. For a token head, those of the first
    /// token.
    package let scores: [(name: String, probability: Float)]
    /// (C), or (R, C) for the tokens with answers.
    package let logits: [Float]
    /// The answer's members in JSON.
    let members: [JSONValue.Member]
    /// The answer as table fields, one for each of ``columns(_:)``.
    let fields: [String]

    package static func == (left: Answer, right: Answer) -> Bool {
        left.members == right.members && left.logits == right.logits
    }

    init(_ logits: [Float], to question: Question, _ trained: TrainedModel) {
        self.logits = logits
        let names = trained.labels?.names ?? []
        let numbers = JSONValue.array(logits.map(JSONValue.float))
        let width = trained.model.head.outputs(trained.model.shape)
        let rows = stride(from: 0, to: logits.count, by: width).map { Array(logits[$0..<($0 + width)]) }
        switch trained.model.head {
        case .classification:
            scores = Self.softmax(logits, names)
            let best = Evaluation.largestIndex(logits[...])
            label = names[best]
            members = [
                .init("label", .string(names[best])), .init("scores", Self.listed(scores)), .init("logits", numbers),
            ]
            fields = [names[best], scores[best].probability.description] + scores.map(\.probability.description)
        case .multiLabel:
            scores = zip(names, logits).map { (name: $0, probability: Float(1 / (1 + exponential(-Double($1))))) }
            label = names[Evaluation.largestIndex(logits[...])]
            let chosen = zip(names, logits).filter { $1 > 0 }.map(\.0)
            members = [
                .init("label", .array(chosen.map { .string($0) })), .init("scores", Self.listed(scores)),
                .init("logits", numbers),
            ]
            fields = [chosen.joined(separator: ",")] + scores.map(\.probability.description)
        case .regression(let targets, _):
            (label, scores) = (nil, [])
            var members: [JSONValue.Member] = [
                .init("label", targets == 1 ? .float(logits[0]) : numbers), .init("scores", numbers),
                .init("logits", numbers),
            ]
            if let names = trained.targets {
                members.append(.init("targets", .object(zip(names, logits).map { .init($0, .float($1)) })))
            }
            self.members = members
            fields = logits.map(\.description)
        case .tokenClassification:
            let chosen = rows.map { Evaluation.largestIndex($0[...]) }
            let probabilities = rows.map { Self.softmax($0, names) }
            var (labels, sure) = (
                [JSONValue](repeating: .null, count: question.words.count),
                [JSONValue](repeating: .null, count: question.words.count)
            )
            for (place, word) in question.answered.enumerated() {
                labels[word] = .string(names[chosen[place]])
                sure[word] = .float(probabilities[place][chosen[place]].probability)
            }
            scores = probabilities.first ?? []
            label = chosen.first.map { names[$0] }
            members = [
                .init("words", .array(question.words.map { .string($0) })), .init("label", .array(labels)),
                .init("scores", .array(sure)),
                .init("logits", .array(rows.map { .array($0.map(JSONValue.float)) })),
            ]
            fields = [labels.map { $0.string ?? Self.unanswered }.joined(separator: " ")]
        case .maskedLanguageModel:
            let pieces = trained.tokenizer.vocabulary.pieces
            let likely = rows.map { Self.likeliest(Self.softmax($0, pieces), 5) }
            scores = likely.first ?? []
            label = likely.first?.first?.name
            let words = likely.compactMap { $0.first?.name }
            members = [
                .init("label", .array(words.map { .string($0) })), .init("scores", .array(likely.map(Self.listed))),
            ]
            fields = [words.joined(separator: " ")]
        }
    }

    /// Placeholder in a table for a word beyond the model's length.
    private static let unanswered = "-"

    /// Names of the columns that answers add to a table.
    static func columns(_ trained: TrainedModel) -> [String] {
        let scores = (trained.labels?.names ?? []).map { "score_\($0)" }
        switch trained.model.head {
        case .classification: return ["prediction", "score"] + scores
        case .multiLabel: return ["prediction"] + scores
        case .regression(let targets, _):
            if targets == 1 { return ["prediction"] }
            return (0..<targets).map { "prediction_\(trained.targets?[$0] ?? String($0))" }
        case .tokenClassification, .maskedLanguageModel: return ["prediction"]
        }
    }

    private static func listed(_ scores: [(name: String, probability: Float)]) -> JSONValue {
        .object(scores.map { .init($0.name, .float($0.probability)) })
    }

    private static func softmax(_ logits: [Float], _ names: [String]) -> [(name: String, probability: Float)] {
        let most = logits.max() ?? 0
        let powers = logits.map { exponential(Double($0) - Double(most)) }
        let all = powers.reduce(0, +)
        return zip(names, powers).map { (name: $0, probability: Float($1 / all)) }
    }

    private static func likeliest(_ scores: [(name: String, probability: Float)], _ count: Int) -> [(
        name: String, probability: Float
    )] {
        let order = scores.indices.sorted { (scores[$1].probability, $0) < (scores[$0].probability, $1) }
        return order.prefix(count).map { scores[$0] }
    }
}
