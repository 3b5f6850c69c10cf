/// A token that is matched anywhere in the text: in the raw text before any other processing, such as
/// "[MASK]", or, if normalized, in the cleaned and lowercased text, such as a word of the domain.
struct AddedToken: Equatable, Sendable {
    let bytes: [UInt8]
    let id: Int32
    let isNormalized: Bool

    init(_ text: String, id: Int32, isNormalized: Bool = false) {
        bytes = Array(text.utf8)
        self.id = id
        self.isNormalized = isNormalized
    }

    func matches(_ text: Span<UInt8>, at start: Int) -> Bool {
        guard bytes.count <= text.count - start else { return false }
        for index in bytes.indices where text[start + index] != bytes[index] { return false }
        return true
    }
}
