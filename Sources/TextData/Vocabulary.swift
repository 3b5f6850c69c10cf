/// The tokens of a tokenizer in id order and the ids of its special tokens.
package struct Vocabulary: Equatable, Sendable {
    /// The ids of [UNK], [CLS], [SEP], [PAD] and [MASK], or of what takes their place; nil if there is none.
    package struct Specials: Equatable, Sendable {
        package let unknown: Int32
        package let classification: Int32
        package let separator: Int32
        package let padding: Int32?
        package let mask: Int32?
    }

    package let pieces: [String]
    package let specials: Specials

    package var count: Int { pieces.count }

    /// Whether each id has a token of its own.
    var hasDistinctTokens: Bool { Set(pieces.lazy.filter { !$0.isEmpty }.map { Array($0.utf8) }).count == count }
}
