/// How many entities of tagged sentences were found, as seqeval counts them: an entity is correct if its type and both
/// ends are.
package struct EntityScores: Codable, Sendable, Equatable {
    /// Entities of the truth, of the answers, and those in both.
    package private(set) var truths = 0
    package private(set) var answers = 0
    package private(set) var correct = 0

    package init() {}

    /// Counts all sentences of an evaluation.
    /// - Parameters:
    ///   - tokens: how many of the classes belong to each sentence.
    ///   - names: the tag of each class.
    package init(_ truths: [Int32], _ answers: [Int32], tokens: [Int32], names: [String]) {
        var place = 0
        for count in tokens {
            let range = place..<(place + Int(count))
            add(truth: truths[range].map { names[Int($0)] }, answer: answers[range].map { names[Int($0)] })
            place = range.upperBound
        }
    }

    /// Whether these are tags of entities rather than classes of words, such as parts of speech.
    package static func areTags(_ names: [String]) -> Bool {
        let tags = names.filter { $0 != "O" }
        return !tags.isEmpty && tags.allSatisfy { "BIES".contains($0.prefix(1)) && $0.dropFirst().first == "-" }
    }

    /// Counts one sentence; tags are "O", or a prefix among B, I, E, S with "-" and a type.
    package mutating func add(truth: [String], answer: [String]) {
        precondition(truth.count == answer.count, "\(truth.count) tags answered with \(answer.count)")
        let (expected, found) = (Self.entities(truth), Self.entities(answer))
        truths += expected.count
        answers += found.count
        correct += expected.intersection(found).count
    }

    package var precision: Double { answers == 0 ? 0 : Double(correct) / Double(answers) }
    package var recall: Double { truths == 0 ? 0 : Double(correct) / Double(truths) }
    package var f1: Double { truths + answers == 0 ? 0 : Double(2 * correct) / Double(truths + answers) }

    struct Entity: Hashable {
        let type: Substring
        let range: Range<Int>
    }

    /// The entities of one sentence. Source: conlleval.pl, as in seqeval's get_entities.
    static func entities(_ tags: [String]) -> Set<Entity> {
        var entities: Set<Entity> = []
        var (before, typeBefore, begin): (Character, Substring, Int) = ("O", "", 0)
        for (place, tag) in (tags + ["O"]).enumerated() {
            let kind = tag.first ?? "O"
            let rest = tag.dropFirst()
            let named = rest.firstIndex(of: "-").map { rest[rest.index(after: $0)...] } ?? rest
            let type = named.isEmpty ? "_" : named
            if ends(before, kind, typeBefore != type) {
                entities.insert(Entity(type: typeBefore, range: begin..<place))
            }
            if begins(before, kind, typeBefore != type) { begin = place }
            (before, typeBefore) = (kind, type)
        }
        return entities
    }

    private static func ends(_ before: Character, _ kind: Character, _ typeChanges: Bool) -> Bool {
        if before == "E" || before == "S" { return true }
        if before == "B" || before == "I", kind == "B" || kind == "S" || kind == "O" { return true }
        return before != "O" && before != "." && typeChanges
    }

    private static func begins(_ before: Character, _ kind: Character, _ typeChanges: Bool) -> Bool {
        if kind == "B" || kind == "S" { return true }
        if before == "E" || before == "S" || before == "O", kind == "E" || kind == "I" { return true }
        return kind != "O" && kind != "." && typeChanges
    }
}
