/// A token that is cut out of the text wherever it stands: out of the raw text before anything else happens to it, such as
/// "[MASK]", or, a normalized one, out of the text as cleaned and lowercased, such as a word of the domain.
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
