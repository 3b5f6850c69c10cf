internal import Foundation

/// A model folder's description of its tokenizer except the vocabulary: tokenizer_config.json, the class that
/// config.json may name, and the files of older versions of Transformers, special_tokens_map.json and
/// added_tokens.json.
///
/// Precedence is that of Transformers' `AutoTokenizer`: if tokenizer_config.json has an added_tokens_decoder, only it
/// names tokens; otherwise special_tokens_map.json takes precedence over it and added_tokens.json adds to it.
struct TokenizerConfiguration {
    /// Which of Transformers' classes reads the folder.
    enum Kind: Equatable {
        /// BertTokenizer: takes the vocabulary and added tokens of tokenizer.json, and nothing else from it.
        case bert
        /// PreTrainedTokenizerFast: takes tokenizer.json as it is.
        case asTheFileSays
    }

    private(set) var kind = Kind.bert
    private(set) var lowercase: Bool?
    private(set) var stripAccents: Bool?
    private(set) var tokenizeChineseCharacters: Bool?
    /// By their keys, such as "cls_token".
    private(set) var named: [String: TokenEntry] = [:]
    /// Keys of special tokens that the files say there are none of, in place of the class's default.
    private(set) var absent: Set<String> = []
    /// Tokens with names specific to the model, in order.
    private(set) var namedOtherwise: [TokenEntry] = []
    /// Special tokens without a name.
    private(set) var further: [TokenEntry] = []
    /// By their ids in the files, ascending; these only order them.
    private(set) var added: [(id: Int, token: TokenEntry)] = []
    /// Whether `added` is complete, so that tokens added in tokenizer.json are ignored.
    private(set) var listsAllAdded = false
    /// Whether a text that is too long loses its beginning instead of its end; nil if no file says.
    private(set) var truncatesLeft: Bool?
    /// Whether the second text of a pair gets token type 1; otherwise all types are 0, as the model is then not given
    /// any.
    private(set) var givesTypes = true

    /// Whether `further` come from tokenizer_config.json, or from special_tokens_map.json.
    private var hasFurther = false
    /// Tokens that tokenizer_config.json names by an object instead of a string.
    private var describedAtLength: Set<[UInt8]> = []

    /// The names of special tokens, in the order in which Transformers adds them.
    static let names = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

    init() {}

    init(folder: URL) throws(TokenizerError) {
        var className: String?
        var inputsHaveTypes: Bool?
        try Self.read("tokenizer_config.json", in: folder) { (cursor) throws(JSONCursor.Failure) in
            try read(&cursor, &className, &inputsHaveTypes)
        }
        if className == nil {
            try Self.read("config.json", in: folder) { (cursor) throws(JSONCursor.Failure) in
                try cursor.open("{")
                while let key = try cursor.nextKey() {
                    if key == "tokenizer_class" {
                        try take(classOf: &cursor, &className)
                    } else {
                        try cursor.skipValue()
                    }
                }
            }
        }
        givesTypes = inputsHaveTypes ?? !Self.withoutTypes.contains(className ?? "")
        guard !listsAllAdded else { return }
        try Self.read("special_tokens_map.json", in: folder) { (cursor) throws(JSONCursor.Failure) in
            try readSpecialTokens(&cursor)
        }
        try Self.read("added_tokens.json", in: folder) { (cursor) throws(JSONCursor.Failure) in
            try readAddedTokens(&cursor)
        }
    }

    var options: TextOptions {
        let usual = TextOptions()
        return TextOptions(
            lowercase: lowercase ?? usual.lowercase, stripAccents: stripAccents,
            tokenizeChineseCharacters: tokenizeChineseCharacters ?? usual.tokenizeChineseCharacters)
    }

    private static func read(
        _ name: String, in folder: URL, _ body: (inout JSONCursor) throws(JSONCursor.Failure) -> Void
    ) throws(TokenizerError) {
        let path = folder.appendingPathComponent(name).path
        guard FileManager.default.fileExists(atPath: path) else { return }
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw TokenizerError(path: path, problem: error.problem) }
        do {
            var cursor = JSONCursor(file.bytes)
            try body(&cursor)
        } catch {
            throw TokenizerError(
                path: path,
                problem: "\(error.problem), at byte \(error.offset): \(error.remedy ?? "copy the model's file again")")
        }
    }

    private mutating func read(
        _ cursor: inout JSONCursor, _ className: inout String?, _ inputsHaveTypes: inout Bool?
    ) throws(JSONCursor.Failure) {
        var additional: [TokenEntry]?
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "tokenizer_class": try take(classOf: &cursor, &className)
            case "do_lower_case": lowercase = try cursor.boolean(named: key)
            case "strip_accents": stripAccents = try cursor.boolean(named: key)
            case "tokenize_chinese_chars": tokenizeChineseCharacters = try cursor.boolean(named: key)
            case "split_special_tokens":
                let start = cursor.offset
                if try cursor.boolean(named: key) == true {
                    throw JSONCursor.Failure(
                        problem: "split_special_tokens is true, which is not supported", offset: start,
                        remedy: "use a model that keeps its special tokens whole")
                }
            case "truncation_side": truncatesLeft = try cursor.side(named: key, left: "left", right: "right")
            case "model_input_names" where cursor.peek() == UInt8(ascii: "["):
                inputsHaveTypes = try Self.list(&cursor).contains { $0.text == "token_type_ids" }
            case "added_tokens_decoder" where cursor.peek() == UInt8(ascii: "{"):
                try readDecoder(&cursor)
            case "additional_special_tokens" where cursor.peek() == UInt8(ascii: "["):
                additional = try Self.list(&cursor)
            case "extra_special_tokens" where cursor.peek() == UInt8(ascii: "["):
                further = try Self.list(&cursor)
                hasFurther = true
            case "extra_special_tokens" where cursor.peek() == UInt8(ascii: "{"):
                try cursor.open("{")
                while try cursor.nextKey() != nil {
                    if let token = try cursor.tokenEntry() { namedOtherwise.append(token) }
                }
            case _ where key.hasSuffix("_token"): try takeNamed(key, &cursor)
            default: try cursor.skipValue()
            }
        }
        if further.isEmpty, let additional {
            further = additional
            hasFurther = true
        }
    }

    private mutating func takeNamed(_ key: String, isSpecial: Bool = false, _ cursor: inout JSONCursor)
        throws(JSONCursor.Failure)
    {
        let isNull = cursor.peek() == UInt8(ascii: "n")
        let isObject = cursor.peek() == UInt8(ascii: "{")
        let token = try cursor.tokenEntry(isSpecial: isSpecial)
        if let token {
            if isObject, !isSpecial {
                describedAtLength.insert(token.bytes)
            } else {
                describedAtLength.remove(token.bytes)
            }
        }
        guard Self.names.contains(key) else {
            if let token { namedOtherwise.append(token) }
            return
        }
        if isNull { absent.insert(key) } else if token != nil { absent.remove(key) }
        if isNull || token != nil { named[key] = token }
    }

    private mutating func readDecoder(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        listsAllAdded = true
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            let start = cursor.offset
            guard let id = Int(key), id >= 0, let token = try cursor.tokenEntry() else {
                throw JSONCursor.Failure(
                    problem: "added_tokens_decoder has the entry \(key.prefix(20)), expected a number with a token",
                    offset: start)
            }
            added.append((id, token))
        }
        added.sort { $0.id < $1.id }
    }

    private mutating func readSpecialTokens(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "extra_special_tokens" where cursor.peek() == UInt8(ascii: "["):
                for token in try Self.list(&cursor, areSpecial: true)
                where !further.contains(where: { $0.bytes == token.bytes }) { further.append(token) }
                hasFurther = true
            case "additional_special_tokens" where cursor.peek() == UInt8(ascii: "["):
                let found = try Self.list(&cursor, areSpecial: true)
                if !hasFurther { further = found }
            case _ where key.hasSuffix("_token"): try takeNamed(key, isSpecial: true, &cursor)
            default: try cursor.skipValue()
            }
        }
    }

    private mutating func readAddedTokens(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        // Neither additional_special_tokens of special_tokens_map.json nor an object in tokenizer_config.json makes a
        // token of this file special.
        let special = Set((Array(named.values) + (hasFurther ? further : [])).map(\.bytes)).subtracting(
            describedAtLength)
        try cursor.open("{")
        while let text = try cursor.nextKey() {
            let id = try cursor.integer(named: "the id of \(text)", in: 0...PieceTrie.capacity)
            let token = TokenEntry(text, isNormalized: !special.contains(Array(text.utf8)))
            added.append((id, token))
        }
        added.sort { $0.id < $1.id }
    }

    private static func list(_ cursor: inout JSONCursor, areSpecial: Bool = false) throws(JSONCursor.Failure)
        -> [TokenEntry]
    {
        var tokens: [TokenEntry] = []
        try cursor.open("[")
        while try cursor.nextElement() {
            if let token = try cursor.tokenEntry(isSpecial: areSpecial), !token.text.isEmpty { tokens.append(token) }
        }
        return tokens
    }

    /// Classes of Transformers, by their names without "Fast".
    private static let kinds: [String: Kind] = [
        "BertTokenizer": .bert, "DistilBertTokenizer": .bert, "ElectraTokenizer": .bert, "MobileBertTokenizer": .bert,
        "SqueezeBertTokenizer": .bert,
        "LayoutLMTokenizer": .bert, "LxmertTokenizer": .bert, "RetriBertTokenizer": .asTheFileSays,
        "PreTrainedTokenizer": .asTheFileSays, "TokenizersBackend": .asTheFileSays,
    ]

    /// Those that give the model no token types unless model_input_names asks for them.
    private static let withoutTypes: Set = [
        "DistilBertTokenizer", "RetriBertTokenizer", "PreTrainedTokenizer", "TokenizersBackend",
    ]

    private mutating func take(classOf cursor: inout JSONCursor, _ className: inout String?) throws(JSONCursor.Failure)
    {
        let start = cursor.offset
        guard let name = try cursor.tokenEntry()?.text else { return }
        let slowName = name.hasSuffix("Fast") ? String(name.dropLast(4)) : name
        guard let found = Self.kinds[slowName] else {
            throw JSONCursor.Failure(
                problem: "tokenizer_class is \(name), which splits words differently from BertTokenizer", offset: start,
                remedy: "use a model with BERT's own tokenizer")
        }
        className = slowName
        kind = found
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
        case let other: throw Failure(problem: "\(key) is \(other), expected true, false or null", offset: start)
        }
    }

    /// Whether a side is the left one.
    mutating func side(named key: String, left: String, right: String) throws(Failure) -> Bool {
        let start = offset
        switch try string() {
        case left: return true
        case right: return false
        case let other:
            throw Failure(problem: "\(key) is \(other.prefix(40)), expected \(left) or \(right)", offset: start)
        }
    }

    mutating func integer(named key: String, in range: ClosedRange<Int>) throws(Failure) -> Int {
        let start = offset
        let text = try literal()
        guard let value = Int(text), range.contains(value) else {
            throw Failure(
                problem: "\(key) is \(text), expected a whole number from \(range.lowerBound) to \(range.upperBound)",
                offset: start)
        }
        return value
    }
}
