/// A token that is matched anywhere in the text: in the raw text before any other processing, such as
/// "[MASK]", or, if normalized, in the cleaned and lowercased text, such as a word of the domain.
struct AddedToken: Equatable, Sendable {
    let bytes: [UInt8]
    let id: Int32
    let isNormalized: Bool
    /// Whether it only counts if the characters around it are not of words.
    let isSingleWord: Bool

    init(_ text: String, id: Int32, isNormalized: Bool = false, isSingleWord: Bool = false) {
        bytes = Array(text.utf8)
        self.id = id
        self.isNormalized = isNormalized
        self.isSingleWord = isSingleWord
    }

    func matches(_ text: Span<UInt8>, at start: Int) -> Bool {
        guard bytes.count <= text.count - start else { return false }
        for index in bytes.indices where text[start + index] != bytes[index] { return false }
        return true
    }

    /// Whether a match counts. One that does not is ordinary text, in which no other token is looked for.
    func counts(in text: Span<UInt8>, at start: Int) -> Bool {
        guard isSingleWord else { return true }
        let end = start + bytes.count
        if end < text.count, PieceSearch.scalar(of: text, at: end).0.isWordCharacter { return false }
        guard start > 0 else { return true }
        var before = start - 1
        while before > 0, text[before] & 0xC0 == 0x80 { before -= 1 }
        return !PieceSearch.scalar(of: text, at: before).0.isWordCharacter
    }
}
