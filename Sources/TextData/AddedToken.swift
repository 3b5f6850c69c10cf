/// A token that is cut out of the raw text before anything else happens to it, such as "[MASK]".
struct AddedToken: Equatable, Sendable {
    let bytes: [UInt8]
    let id: Int32

    init(_ text: String, id: Int32) {
        bytes = Array(text.utf8)
        self.id = id
    }

    func matches(_ text: Span<UInt8>, at start: Int) -> Bool {
        guard bytes.count <= text.count - start else { return false }
        for index in bytes.indices where text[start + index] != bytes[index] { return false }
        return true
    }
}
