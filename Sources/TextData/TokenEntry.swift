/// A token as described by a model's files other than the vocabulary.
struct TokenEntry: Equatable, Sendable {
    let text: String
    /// Whether it is matched in the normalized text instead of the original text.
    let isNormalized: Bool

    init(_ text: String, isNormalized: Bool = false) {
        self.text = text
        self.isNormalized = isNormalized
    }

    /// Bytes, because Swift considers texts equal that differ only in how an accent is composed.
    var bytes: [UInt8] { Array(text.utf8) }
}

extension JSONCursor {
    /// A token that is a string or an object with its text under "content"; nil for null or anything else.
    ///
    /// - Parameter isSpecial: whether an object without that key is a special token, which is not normalized
    ///   unless its object says so.
    mutating func tokenEntry(isSpecial: Bool = false) throws(Failure) -> TokenEntry? {
        let start = offset
        switch peek() {
        case UInt8(ascii: "\""): return TokenEntry(try string())
        case UInt8(ascii: "{"):
            var text: String?
            var (isNormalized, special): (Bool?, Bool) = (nil, isSpecial)
            try open("{")
            while let key = try nextKey() {
                switch key {
                case "content": text = try string()
                case "normalized": isNormalized = try boolean(named: key)
                case "special": special = try boolean(named: key) ?? special
                case "single_word":
                    if try boolean(named: key) == true {
                        throw Failure(
                            problem: "the added token \(text ?? "") is for single words only, which is not supported",
                            offset: start)
                    }
                default: try skipValue()
                }
            }
            return text.map { TokenEntry($0, isNormalized: isNormalized ?? !(isSpecial || special)) }
        default:
            try skipValue()
            return nil
        }
    }
}
