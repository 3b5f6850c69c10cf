/// A token as described by a model's files other than the vocabulary.
struct TokenEntry: Equatable, Sendable {
    let text: String
    /// Whether it is matched in the normalized text instead of the original text.
    let isNormalized: Bool
    /// Whether it only matches between other words.
    let isSingleWord: Bool

    init(_ text: String, isNormalized: Bool = false, isSingleWord: Bool = false) {
        self.text = text
        self.isNormalized = isNormalized
        self.isSingleWord = isSingleWord
    }

    /// Bytes, because Swift considers texts equal that differ only in how an accent is composed.
    var bytes: [UInt8] { Array(text.utf8) }

    /// Whether the two have the same bytes and are matched alike.
    func isSame(_ other: TokenEntry) -> Bool {
        isNormalized == other.isNormalized && isSingleWord == other.isSingleWord && bytes == other.bytes
    }
}

extension JSONCursor {
    /// A token that is a string or an object with its text under "content"; nil for null or anything else.
    ///
    /// - Parameter isSpecial: whether an object without that key is a special token, which is not normalized
    ///   unless its object says so.
    mutating func tokenEntry(isSpecial: Bool = false) throws(Failure) -> TokenEntry? {
        switch peek() {
        case UInt8(ascii: "\""): return TokenEntry(try string())
        case UInt8(ascii: "{"):
            var text: String?
            var (isNormalized, special, isSingleWord): (Bool?, Bool, Bool) = (nil, isSpecial, false)
            try open("{")
            while let key = try nextKey() {
                switch key {
                case "content": text = try string()
                case "normalized": isNormalized = try boolean(named: key)
                case "special": special = try boolean(named: key) ?? special
                case "single_word": isSingleWord = try boolean(named: key) ?? false
                default: try skipValue()
                }
            }
            return text.map {
                TokenEntry(
                    $0, isNormalized: isNormalized ?? !(isSpecial || special), isSingleWord: isSingleWord)
            }
        default:
            try skipValue()
            return nil
        }
    }
}
