/// The part of a tokenizer.json that a WordPiece tokenizer needs; whatever works otherwise is refused by name.
struct TokenizerJSON {
    private(set) var pieces: [String] = []
    /// Ids of added tokens that the vocabulary itself lacks.
    private(set) var addedOnly: Set<Int32> = []
    private(set) var addedTokens: [AddedToken] = []
    private(set) var options = TextOptions()
    private(set) var continuationPrefix = "##"
    private(set) var maxWordCharacters = 100
    private(set) var unknownToken: String?

    private var piecesByID: [(id: Int, piece: String)] = []
    private var addedByID: [(id: Int, text: String, isNormalized: Bool)] = []
    private static let ids = 0...PieceTrie.capacity

    init(path: String) throws(TokenizerError) {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw TokenizerError(path: path, problem: error.problem) }
        try self.init(file, path: path)
    }

    /// - Parameter path: how messages name it.
    init(_ file: TextFile, path: String) throws(TokenizerError) {
        do {
            var cursor = JSONCursor(file.bytes)
            try read(&cursor)
        } catch {
            throw TokenizerError(path: path, problem: "\(error.problem), at byte \(error.offset): use the tokenizer of a BERT model")
        }
        try orderPieces(path: path)
    }

    private mutating func read(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "added_tokens":
                try cursor.open("[")
                while try cursor.nextElement() { try readAddedToken(&cursor) }
            case "normalizer": try readNormalizer(&cursor)
            case "pre_tokenizer": try Self.requireType(["BertPreTokenizer"], of: key, &cursor)
            case "post_processor": try Self.requireType(["BertProcessing", "TemplateProcessing"], of: key, &cursor)
            case "model": try readModel(&cursor)
            default: try cursor.skipValue()
            }
        }
    }

    private mutating func readAddedToken(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var token: (id: Int?, text: String?) = (nil, nil)
        var (isSpecialCase, isNormalized) = (false, false)
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "id": token.id = try cursor.integer(named: key, in: Self.ids)
            case "content": token.text = try cursor.string()
            case "single_word": isSpecialCase = try cursor.boolean(named: key) == true
            case "normalized": isNormalized = try cursor.boolean(named: key) == true
            default: try cursor.skipValue()
            }
        }
        guard let id = token.id, let text = token.text, !text.isEmpty else {
            throw JSONCursor.Failure(problem: "an added token has no id or no content", offset: start)
        }
        if isSpecialCase {
            throw JSONCursor.Failure(problem: "the added token \(text) is for single words only, which is not supported", offset: start)
        }
        addedByID.append((id, text, isNormalized))
    }

    private mutating func readNormalizer(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = ""
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "type": type = try cursor.string()
            case "lowercase": options.lowercase = try cursor.boolean(named: key) ?? true
            case "strip_accents": options.stripAccents = try cursor.boolean(named: key)
            case "handle_chinese_chars": options.tokenizeChineseCharacters = try cursor.boolean(named: key) ?? true
            case "clean_text":
                guard try cursor.boolean(named: key) != false else {
                    throw JSONCursor.Failure(problem: "clean_text is false, which is not supported", offset: start)
                }
            default: try cursor.skipValue()
            }
        }
        try Self.check(type, among: ["BertNormalizer"], of: "normalizer", at: start)
    }

    private mutating func readModel(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = "WordPiece"
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "type": type = try cursor.string()
            case "unk_token": unknownToken = try cursor.string()
            case "continuing_subword_prefix": continuationPrefix = try cursor.string()
            case "max_input_chars_per_word": maxWordCharacters = try cursor.integer(named: key, in: 1...1000)
            case "vocab" where cursor.peek() == UInt8(ascii: "{"):
                try cursor.open("{")
                while let piece = try cursor.nextKey() {
                    piecesByID.append((try cursor.integer(named: "the id of \(piece)", in: Self.ids), piece))
                }
            default: try cursor.skipValue()
            }
        }
        try Self.check(type, among: ["WordPiece"], of: "model", at: start)
    }

    private static func requireType(_ types: [String], of name: String, _ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = ""
        guard cursor.peek() == UInt8(ascii: "{") else { return try cursor.skipValue() }
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            if key == "type" { type = try cursor.string() } else { try cursor.skipValue() }
        }
        try check(type, among: types, of: name, at: start)
    }

    private static func check(_ type: String, among types: [String], of name: String, at start: Int) throws(JSONCursor.Failure) {
        guard types.contains(type) else {
            throw JSONCursor.Failure(problem: "the \(name) is \(type), \(types.joined(separator: " or ")) was needed", offset: start)
        }
    }

    /// Puts every piece, of the vocabulary or added to it, at its id.
    ///
    /// An id without a piece, as Hugging Face leaves one where a vocabulary names a piece twice, stands for no text.
    private mutating func orderPieces(path: String) throws(TokenizerError) {
        var all = piecesByID
        let known = Set(all.map(\.id))
        all += addedByID.filter { !known.contains($0.id) }.map { ($0.id, $0.text) }
        all.sort { $0.id < $1.id }
        guard let highest = all.last?.id else {
            throw TokenizerError(path: path, problem: "has no model.vocab, a WordPiece vocabulary was needed: use the tokenizer of a BERT model")
        }
        if let twice = zip(all, all.dropFirst()).first(where: { $0.id == $1.id }) {
            throw TokenizerError(path: path, problem: "two pieces have the id \(twice.0.id), each needs its own: copy the model's file again")
        }
        guard highest + 1 <= 2 * all.count else {
            throw TokenizerError(path: path, problem: "has \(all.count) pieces and ids up to \(highest), most have no piece: copy the model's file again")
        }
        pieces = Array(repeating: "", count: highest + 1)
        for entry in all { pieces[entry.id] = entry.piece }
        addedOnly = Set(addedByID.map { Int32($0.id) }).subtracting(known.map { Int32($0) })
        addedTokens = addedByID.map { AddedToken($0.text, id: Int32($0.id), isNormalized: $0.isNormalized) }
    }
}
