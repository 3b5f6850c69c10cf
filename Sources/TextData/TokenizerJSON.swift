/// The part of a tokenizer.json that a WordPiece tokenizer needs; unsupported parts are refused by name.
struct TokenizerJSON {
    /// The vocabulary by id, without added tokens.
    private(set) var pieces: [String] = []
    /// In the order of the file, with its ids.
    private(set) var addedTokens: [(id: Int, token: TokenEntry)] = []
    /// Without a normalizer in the file, text is not changed.
    private(set) var options = TextOptions.none
    /// Whether the vocabulary has a token without characters, which matches no text but counts.
    var hasEmptyToken: Bool { piecesByID.contains { $0.piece.isEmpty } }
    /// The ids of the tokens that the post processor puts around a text.
    private(set) var template: (first: Int, last: Int)?
    /// Whether the second text of a pair gets token type 1.
    private(set) var givesTypes = true
    /// Whether a text that is too long loses its beginning; nil if the file does not say.
    private(set) var truncatesLeft: Bool?
    private(set) var continuationPrefix = "##"
    private(set) var maxWordCharacters = 100
    private(set) var unknownToken: String?

    /// The first part that does not split texts as BERT does; BertTokenizer takes no notice of it.
    private var foreign: JSONCursor.Failure?
    private var piecesByID: [(id: Int, piece: String)] = []
    private var hasPreTokenizer = false
    private var hasPostProcessor = false
    /// Whether the post processor treats a single text as BERT does, but not a pair.
    private var joinsPairsOddly = false
    private static let ids = 0...PieceTrie.capacity

    init(path: String) throws(TokenizerError) {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw TokenizerError(path: path, problem: error.problem) }
        try self.init(file, path: path)
    }

    /// - Parameter path: its name in messages.
    init(_ file: TextFile, path: String) throws(TokenizerError) {
        do {
            var cursor = JSONCursor(file.bytes)
            try read(&cursor)
        } catch {
            throw TokenizerError(
                path: path,
                problem: "\(error.problem), at byte \(error.offset): \(error.remedy ?? "copy the model's file again")")
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
            case "normalizer" where cursor.peek() == UInt8(ascii: "{"): try readNormalizer(&cursor)
            case "pre_tokenizer" where cursor.peek() == UInt8(ascii: "{"):
                try readPreTokenizer(&cursor)
                hasPreTokenizer = true
            case "post_processor" where cursor.peek() == UInt8(ascii: "{"):
                try readPostProcessor(&cursor)
                hasPostProcessor = true
            case "truncation" where cursor.peek() == UInt8(ascii: "{"): try readTruncation(&cursor)
            case "model": try readModel(&cursor)
            default: try cursor.skipValue()
            }
        }
    }

    private mutating func readAddedToken(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var peeked = cursor
        var id: Int?
        try peeked.open("{")
        while let key = try peeked.nextKey() {
            if key == "id" { id = try peeked.integer(named: key, in: Self.ids) } else { try peeked.skipValue() }
        }
        guard let token = try cursor.tokenEntry(), let id, !token.text.isEmpty else {
            throw JSONCursor.Failure(problem: "an added token has no id or no content", offset: start)
        }
        addedTokens.append((id, token))
    }

    private mutating func readTruncation(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) {
        truncatesLeft = false
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            if key == "direction" {
                truncatesLeft = try cursor.side(named: "the truncation's direction", left: "Left", right: "Right")
            } else {
                try cursor.skipValue()
            }
        }
    }

    /// Reads the parts of a sequence; one part alone is as if it stood in its place.
    /// - Returns: how many there are.
    private mutating func readSequence(
        _ cursor: inout JSONCursor, depth: Int,
        _ read: (inout TokenizerJSON, inout JSONCursor, _ depth: Int) throws(JSONCursor.Failure) -> Void
    ) throws(JSONCursor.Failure) -> Int {
        guard depth < JSONCursor.deepest else {
            throw JSONCursor.Failure(
                problem: "values are nested over \(JSONCursor.deepest) deep", offset: cursor.offset)
        }
        var count = 0
        try cursor.open("[")
        while try cursor.nextElement() {
            count += 1
            try read(&self, &cursor, depth + 1)
        }
        return count
    }

    private mutating func readNormalizer(_ cursor: inout JSONCursor, depth: Int = 0) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = ""
        var count = 0
        options = TextOptions()
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "type": type = try cursor.string()
            case "normalizers" where cursor.peek() == UInt8(ascii: "["):
                count = try readSequence(&cursor, depth: depth) {
                    (file, cursor, depth) throws(JSONCursor.Failure) in
                    try file.readNormalizer(&cursor, depth: depth)
                }
            case "lowercase": options.lowercase = try cursor.boolean(named: key) ?? true
            case "strip_accents": options.stripAccents = try cursor.boolean(named: key)
            case "handle_chinese_chars": options.tokenizeChineseCharacters = try cursor.boolean(named: key) ?? true
            case "clean_text": options.cleansText = try cursor.boolean(named: key) ?? true
            default: try cursor.skipValue()
            }
        }
        note(type, of: count, among: ["BertNormalizer"], of: "normalizer", at: start)
    }

    private mutating func readPreTokenizer(_ cursor: inout JSONCursor, depth: Int = 0) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = ""
        var count = 0
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "type": type = try cursor.string()
            case "pretokenizers" where cursor.peek() == UInt8(ascii: "["):
                count = try readSequence(&cursor, depth: depth) {
                    (file, cursor, depth) throws(JSONCursor.Failure) in
                    try file.readPreTokenizer(&cursor, depth: depth)
                }
            default: try cursor.skipValue()
            }
        }
        note(type, of: count, among: ["BertPreTokenizer"], of: "pre_tokenizer", at: start)
    }

    private mutating func readPostProcessor(_ cursor: inout JSONCursor, depth: Int = 0) throws(JSONCursor.Failure) {
        let start = cursor.offset
        var type = ""
        var count = 0
        var (single, pair): ([String]?, [String]?)
        var ids: [String: Int] = [:]
        try cursor.open("{")
        while let key = try cursor.nextKey() {
            switch key {
            case "type": type = try cursor.string()
            case "sep", "cls":
                try cursor.open("[")
                while try cursor.nextElement() {
                    if cursor.peek() == UInt8(ascii: "\"") {
                        try cursor.skipValue()
                    } else {
                        ids[key] = try cursor.integer(named: "the id of \(key)", in: Self.ids)
                    }
                }
            case "special_tokens" where cursor.peek() == UInt8(ascii: "{"): try Self.readIDs(&cursor, &ids)
            case "single": single = try Self.template(&cursor)
            case "pair": pair = try Self.template(&cursor)
            case "processors" where cursor.peek() == UInt8(ascii: "["):
                count = try readSequence(&cursor, depth: depth) {
                    (file, cursor, depth) throws(JSONCursor.Failure) in
                    try file.readPostProcessor(&cursor, depth: depth)
                }
            default: try cursor.skipValue()
            }
        }
        let known = ["BertProcessing", "TemplateProcessing"]
        note(type, of: count, among: known, of: "post_processor", at: start)
        guard known.contains(type) else { return }
        if type == "BertProcessing", let first = ids["cls"], let last = ids["sep"] { template = (first, last) }
        guard let single, single.count == 3, single[1] == "A:0", single[0].hasSuffix(":0"), single[2].hasSuffix(":0")
        else { return }
        let (first, last) = (String(single[0].dropLast(2)), String(single[2].dropLast(2)))
        guard let firstID = ids[first], let lastID = ids[last] else { return }
        givesTypes = pair != single + ["B:0", last + ":0"]
        if pair == nil || !givesTypes || pair == single + ["B:1", last + ":1"] {
            template = (firstID, lastID)
        } else {
            joinsPairsOddly = true
        }
    }

    /// The id that a template gives to each of its tokens; one that stands for several ids is left out.
    private static func readIDs(_ cursor: inout JSONCursor, _ ids: inout [String: Int]) throws(JSONCursor.Failure) {
        try cursor.open("{")
        while let name = try cursor.nextKey() {
            var found: [Int] = []
            try cursor.open("{")
            while let key = try cursor.nextKey() {
                guard key == "ids" else {
                    try cursor.skipValue()
                    continue
                }
                try cursor.open("[")
                while try cursor.nextElement() {
                    found.append(try cursor.integer(named: "the id of \(name)", in: Self.ids))
                }
            }
            ids[name] = found.count == 1 ? found[0] : nil
        }
    }

    /// The parts of a template: a token or a text's letter, with the type that it gets.
    private static func template(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) -> [String] {
        var parts: [String] = []
        try cursor.open("[")
        while try cursor.nextElement() {
            try cursor.open("{")
            while try cursor.nextKey() != nil {
                var (id, type) = ("", "0")
                try cursor.open("{")
                while let key = try cursor.nextKey() {
                    switch key {
                    case "id": id = try cursor.string()
                    case "type_id": type = try cursor.literal()
                    default: try cursor.skipValue()
                    }
                }
                parts.append("\(id):\(type)")
            }
        }
        return parts
    }

    /// Refuses a file that does not split texts as BERT does.
    /// - Parameter needsTemplate: whether the special tokens come only from the file.
    func checkPipeline(path: String, needsTemplate: Bool) throws(TokenizerError) {
        if let foreign {
            throw TokenizerError(
                path: path, problem: "\(foreign.problem), at byte \(foreign.offset): \(Self.remedy)")
        }
        guard hasPreTokenizer || !needsTemplate else {
            throw TokenizerError(
                path: path,
                problem: "has no pre_tokenizer, expected BertPreTokenizer: \(Self.remedy)")
        }
        guard template != nil || !(needsTemplate || hasPostProcessor) else {
            throw TokenizerError(
                path: path,
                problem:
                    "its post_processor does not put "
                    + (joinsPairsOddly
                        ? "[SEP] between and after two texts: " : "[CLS] before and [SEP] after a text: ")
                    + Self.remedy
            )
        }
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
            case "max_input_chars_per_word": maxWordCharacters = try cursor.integer(named: key, in: 0...(1 << 20))
            case "vocab" where cursor.peek() == UInt8(ascii: "{"):
                try cursor.open("{")
                while let piece = try cursor.nextKey() {
                    piecesByID.append((try cursor.integer(named: "the id of \(piece)", in: Self.ids), piece))
                }
            default: try cursor.skipValue()
            }
        }
        guard type == "WordPiece" else {
            throw JSONCursor.Failure(
                problem: "the model is \(type), expected WordPiece", offset: start, remedy: Self.remedy)
        }
    }

    /// What to do about a file that does not split texts as BERT does.
    private static let remedy = "use a model with BERT's own tokenizer"

    /// Remembers a part that is neither of `types` nor a sequence of one.
    /// - Parameter count: parts of the sequence.
    private mutating func note(_ type: String, of count: Int, among types: [String], of name: String, at start: Int) {
        guard foreign == nil, !types.contains(type), !(type == "Sequence" && count == 1) else { return }
        foreign = JSONCursor.Failure(
            problem: "the \(name) is \(type), expected \(types.joined(separator: " or "))", offset: start)
    }

    /// Puts every token of the vocabulary at its id.
    ///
    /// An id without a token, as Hugging Face leaves one if a vocabulary names a token twice, matches no text.
    private mutating func orderPieces(path: String) throws(TokenizerError) {
        let all = piecesByID.sorted { $0.id < $1.id }
        guard let highest = all.last?.id else {
            throw TokenizerError(
                path: path,
                problem: "has no model.vocab, expected a WordPiece vocabulary: \(Self.remedy)")
        }
        if let twice = zip(all, all.dropFirst()).first(where: { $0.id == $1.id }) {
            throw TokenizerError(
                path: path,
                problem: "two tokens have the id \(twice.0.id), ids must be unique: copy the model's file again")
        }
        guard highest + 1 <= 2 * all.count else {
            throw TokenizerError(
                path: path,
                problem:
                    "has \(all.count) tokens and ids up to \(highest), most have no token: copy the model's file again")
        }
        pieces = Array(repeating: "", count: highest + 1)
        for entry in all { pieces[entry.id] = entry.piece }
    }
}
