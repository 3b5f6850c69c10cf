internal import Foundation

/// The part of tokenizer_config.json that changes results; a folder without the file has nothing to say.
struct TokenizerConfiguration {
    var lowercase: Bool?
    var stripAccents: Bool?
    var tokenizeChineseCharacters: Bool?
    /// By their keys, such as "cls_token".
    var specialTokens: [String: String] = [:]
    /// Special tokens without a meaning of their own here.
    var furtherTokens: [String] = []

    init() {}

    init(folder: URL) throws(TokenizerError) {
        let path = folder.appendingPathComponent("tokenizer_config.json").path
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            var cursor = JSONCursor(try TextFile(path: path).bytes)
            try read(&cursor)
        } catch let error as TextFile.Failure {
            throw TokenizerError(path: path, problem: error.problem)
        } catch let error as JSONCursor.Failure {
            throw TokenizerError(path: path, problem: "\(error.problem), at byte \(error.offset): copy the model's file again")
        } catch {
            throw TokenizerError(path: path, problem: "\(error)")
        }
    }

    func options(over base: TextOptions) -> TextOptions {
        TextOptions(
            lowercase: lowercase ?? base.lowercase, stripAccents: stripAccents ?? base.stripAccents,
            tokenizeChineseCharacters: tokenizeChineseCharacters ?? base.tokenizeChineseCharacters)
    }

    private mutating func read(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "tokenizer_class": try Self.check(tokenizerClass: &cursor)
            case "do_lower_case": lowercase = try cursor.boolean(named: key)
            case "strip_accents": stripAccents = try cursor.boolean(named: key)
            case "tokenize_chinese_chars": tokenizeChineseCharacters = try cursor.boolean(named: key)
            case "unk_token", "cls_token", "sep_token", "pad_token", "mask_token":
                if let token = try Self.token(&cursor) { specialTokens[key] = token }
            case "additional_special_tokens", "extra_special_tokens":
                guard cursor.peek() == UInt8(ascii: "[") else {
                    try cursor.skipValue()
                    continue
                }
                try cursor.open("[")
                while try cursor.nextElement() {
                    if let token = try Self.token(&cursor), !token.isEmpty { furtherTokens.append(token) }
                }
            default: try cursor.skipValue()
            }
        }
    }

    /// Classes of Transformers that tokenize as BERT does, by their names without "Fast"; the last two say nothing of how they tokenize.
    private static let classes: Set = [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer", "LayoutLMTokenizer",
        "ConvBertTokenizer", "RetriBertTokenizer", "LxmertTokenizer", "PreTrainedTokenizer", "TokenizersBackend",
    ]

    private static func check(tokenizerClass cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        guard let name = try token(&cursor) else { return }
        guard classes.contains(name.hasSuffix("Fast") ? String(name.dropLast(4)) : name) else {
            throw JSONCursor.Failure(
                problem: "tokenizer_class is \(name), which splits words otherwise than BertTokenizer: use a model with BERT's own tokenizer", offset: start)
        }
    }

    /// A token is a string or an object with its text under "content".
    private static func token(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) -> String? {
        switch cursor.peek() {
        case UInt8(ascii: "\""): return try cursor.string()
        case UInt8(ascii: "{"):
            var content: String?
            try cursor.open("{")
            while let key = try cursor.nextKey() {
                if key == "content" { content = try cursor.string() } else { try cursor.skipValue() }
            }
            return content
        default:
            try cursor.skipValue()
            return nil
        }
    }
}

extension JSONCursor {
    /// True, false or, for null, nil.
    mutating func boolean(named key: String) throws(Failure) -> Bool? {
        let start = offset
        switch try literal() {
        case "true": return true
        case "false": return false
        case "null": return nil
        case let other: throw Failure(problem: "\(key) is \(other), true, false or null was needed", offset: start)
        }
    }

    mutating func integer(named key: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
        let start = offset
        let text = try literal()
        guard let value = Int(text), range.contains(value) else {
            throw Failure(problem: "\(key) is \(text), a whole number from \(range.lowerBound) to \(range.upperBound) was needed", offset: start)
        }
        return value
    }
}
