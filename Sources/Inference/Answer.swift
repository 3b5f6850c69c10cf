internal import BERT
internal import Files
internal import Kernels
internal import Learning
internal import TextData

/// A model's answer for one text.
package struct Answer: Sendable, Equatable {
    package typealias Score = (name: String, probability: Float)

    /// Name of the most likely class; nil for regression.
    package let label: String?
    /// Class names in their order with their probabilities; empty for regression. For a token head, those of the first
    /// token.
    package let scores: [Score]
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
        let names = trained.labels?.names ?? []
        let width = trained.model.head.outputs(trained.model.shape)
        let rows = stride(from: 0, to: logits.count, by: width).map { Array(logits[$0..<($0 + width)]) }
        switch trained.model.head {
        case .classification: self.init(classes: names, logits)
        case .multiLabel: self.init(labels: names, logits)
        case .regression: self.init(targets: trained.targets, logits)
        case .tokenClassification: self.init(classes: names, ofWords: question, logits, rows)
        case .maskedLanguageModel: self.init(hiddenOf: trained.tokenizer.vocabulary.pieces, logits, rows)
        }
    }

    private init(
        _ label: String?, _ scores: [Score], _ logits: [Float], _ members: [JSONValue.Member], _ fields: [String]
    ) {
        self.label = label
        self.scores = scores
        self.logits = logits
        self.members = members
        self.fields = fields
    }

    /// The likeliest class, and the probability of each.
    private init(classes names: [String], _ logits: [Float]) {
        let scores = Self.softmax(logits, names)
        let best = Evaluation.largestIndex(logits[...])
        self.init(
            names[best], scores, logits,
            [.init("label", .string(names[best])), .init("scores", Self.listed(scores)), Self.member(logits)],
            [names[best], scores[best].probability.description] + scores.map(\.probability.description))
    }

    /// The labels of more than one half, and the probability of each.
    private init(labels names: [String], _ logits: [Float]) {
        let scores = zip(names, logits).map { (name: $0, probability: Float(1 / (1 + exponential(-Double($1))))) }
        let chosen = zip(names, logits).filter { $1 > 0 }.map(\.0)
        self.init(
            names[Evaluation.largestIndex(logits[...])], scores, logits,
            [
                .init("label", .array(chosen.map { .string($0) })), .init("scores", Self.listed(scores)),
                Self.member(logits),
            ], [chosen.joined(separator: ",")] + scores.map(\.probability.description))
    }

    /// The numbers themselves.
    private init(targets names: [String]?, _ logits: [Float]) {
        let numbers = JSONValue.array(logits.map(JSONValue.float))
        var members: [JSONValue.Member] = [
            .init("label", logits.count == 1 ? .float(logits[0]) : numbers), .init("scores", numbers),
            .init("logits", numbers),
        ]
        if let names { members.append(.init("targets", .object(zip(names, logits).map { .init($0, .float($1)) }))) }
        self.init(nil, [], logits, members, logits.map(\.description))
    }

    /// The likeliest class of each word, null for one beyond the model's length.
    private init(classes names: [String], ofWords question: Question, _ logits: [Float], _ rows: [[Float]]) {
        let chosen = rows.map { Evaluation.largestIndex($0[...]) }
        let probabilities = rows.map { Self.softmax($0, names) }
        var labels = [JSONValue](repeating: .null, count: question.words.count)
        var sure = labels
        for (place, word) in question.answered.enumerated() {
            labels[word] = .string(names[chosen[place]])
            sure[word] = .float(probabilities[place][chosen[place]].probability)
        }
        self.init(
            chosen.first.map { names[$0] }, probabilities.first ?? [], logits,
            [
                .init("words", .array(question.words.map { .string($0) })), .init("label", .array(labels)),
                .init("scores", .array(sure)), .init("logits", .array(rows.map { .array($0.map(JSONValue.float)) })),
            ], [labels.map { $0.string ?? Self.unanswered }.joined(separator: " ")])
    }

    /// The likeliest tokens in the place of each hidden one.
    private init(hiddenOf tokens: [String], _ logits: [Float], _ rows: [[Float]]) {
        let likely = rows.map { Self.likeliest(Self.softmax($0, tokens), 5) }
        let words = likely.compactMap { $0.first?.name }
        self.init(
            likely.first?.first?.name, likely.first ?? [], logits,
            [.init("label", .array(words.map { .string($0) })), .init("scores", .array(likely.map(Self.listed)))],
            [words.joined(separator: " ")])
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

    private static func listed(_ scores: [Score]) -> JSONValue {
        .object(scores.map { .init($0.name, .float($0.probability)) })
    }

    private static func member(_ logits: [Float]) -> JSONValue.Member {
        .init("logits", .array(logits.map(JSONValue.float)))
    }

    private static func softmax(_ logits: [Float], _ names: [String]) -> [Score] {
        zip(names, FurtherFigures.softmax(logits, width: logits.count)).map { (name: $0, probability: $1) }
    }

    private static func likeliest(_ scores: [Score], _ count: Int) -> [Score] {
        let order = scores.indices.sorted { (scores[$1].probability, $0) < (scores[$0].probability, $1) }
        return order.prefix(count).map { scores[$0] }
    }
}
