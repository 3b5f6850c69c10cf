internal import Files
internal import Foundation

/// Words added to a tokenizer's files as Hugging Face's `add_tokens` does.
enum TokenizerExport {
    /// Adds words to the tokenizer in `folder`; if tokenizer.json is missing, one is created from vocab.txt and
    /// tokenizer_config.json.
    ///
    /// Transformers numbers added tokens in the order of its lists, so `tokens` are written to each list.
    /// - Parameter tokens: all that the tokenizer adds to its vocabulary, including words; empty if only the words are
    ///   known.
    static func add(
        _ words: [(text: String, id: Int)], among tokens: [ModelExport.AddedToken] = [], to folder: String,
        steps: any FileSteps
    ) throws(FileError) {
        let path = folder + "/tokenizer.json"
        var tokenizer = FileManager.default.fileExists(atPath: path) ? try parsed(path) : try made(folder)
        let all = tokens.isEmpty ? words.map { ModelExport.AddedToken($0.text, id: $0.id, isNormalized: true) } : tokens
        let isWord = Set(words.map(\.id))
        let before = tokenizer["added_tokens"]?.array ?? []
        let known = Set(before.compactMap { $0["content"]?.string.map { Array($0.utf8) } })
        let added = all.sorted { $0.id < $1.id }.filter { !known.contains(Array($0.text.utf8)) }
        tokenizer["added_tokens"] = .array(
            before + added.map { entry($0, isSpecial: !isWord.contains($0.id) && !$0.isNormalized) })
        try FileSystem.replace(path, with: Array(tokenizer.line.utf8) + [0x0A], steps: steps)
        let listPath = folder + "/added_tokens.json"
        let earlier = FileManager.default.fileExists(atPath: listPath) ? try parsed(listPath).members ?? [] : []
        let listed = JSONValue.object(earlier + words.map { .init($0.text, .integer($0.id)) })
        try FileSystem.replace(listPath, with: Array(listed.text.utf8), steps: steps)
        try list(all, isComplete: !tokens.isEmpty, in: folder, steps: steps)
    }

    /// Lists tokens in tokenizer_config.json. If it lists added tokens, Transformers does not look elsewhere, so
    /// the contents of special_tokens_map.json are copied to it.
    private static func list(
        _ tokens: [ModelExport.AddedToken], isComplete: Bool, in folder: String, steps: any FileSteps
    ) throws(FileError) {
        let path = folder + "/tokenizer_config.json"
        guard FileManager.default.fileExists(atPath: path) else { return }
        var configuration = try parsed(path)
        let before = configuration["added_tokens_decoder"]?.members
        guard before != nil || isComplete else { return }
        func text(_ entry: JSONValue) -> [UInt8]? { entry["content"]?.string.map { Array($0.utf8) } }
        func member(_ token: ModelExport.AddedToken) -> JSONValue.Member {
            let found = before?.first { text($0.value) == Array(token.text.utf8) }?.value
            let new = (entry(token, isSpecial: !token.isNormalized).members ?? []).filter { $0.key != "id" }
            return JSONValue.Member(String(token.id), found ?? .object(new))
        }
        let members = tokens.sorted { $0.id < $1.id }.map(member)
        configuration["added_tokens_decoder"] = .object((isComplete ? [] : before ?? []) + members)
        let named = folder + "/special_tokens_map.json"
        if before == nil, FileManager.default.fileExists(atPath: named) {
            for entry in try parsed(named).members ?? [] where entry.key.hasSuffix("_token") {
                configuration[entry.key] = entry.value["content"] ?? entry.value
            }
        }
        try FileSystem.replace(path, with: Array(configuration.text.utf8), steps: steps)
    }

    /// Longest tokenizer.json in bytes: vocabularies of a quarter of a million tokens have some 10 MB.
    private static let longestTokenizer = 64 << 20

    private static func parsed(_ path: String) throws(FileError) -> JSONValue {
        do { return try JSONValue(parsing: try FileSystem.read(path, limit: longestTokenizer)) } catch {
            throw FileError(path, "cannot be used: \(error)")
        }
    }

    private static func entry(_ token: ModelExport.AddedToken, isSpecial: Bool) -> JSONValue {
        .object([
            .init("id", .integer(token.id)), .init("content", .string(token.text)),
            .init("single_word", .bool(token.isSingleWord)),
            .init("lstrip", .bool(false)), .init("rstrip", .bool(false)),
            .init("normalized", .bool(token.isNormalized)),
            .init("special", .bool(isSpecial)),
        ])
    }

    /// The tokenizer.json that Transformers would create from a folder without one.
    private static func made(_ folder: String) throws(FileError) -> JSONValue {
        let configuration = try parsed(folder + "/tokenizer_config.json")
        let pieces = try tokens(folder + "/vocab.txt")
        var ids: [String: Int] = [:]
        for (id, piece) in pieces.enumerated() { ids[piece] = id }
        let known: [JSONValue.Member] = pieces.enumerated().filter { ids[$1] == $0 }.map { .init($1, .integer($0)) }
        func special(_ key: String, _ usual: String) -> String {
            configuration[key]?.string ?? configuration[key]?["content"]?.string ?? usual
        }
        let keys = [
            ("pad_token", "[PAD]"), ("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "[SEP]"),
            ("mask_token", "[MASK]"),
        ]
        // A null stands for no such token.
        let specials = keys.filter { configuration[$0.0] != .null }.map { special($0.0, $0.1) }
        let (first, last) = (special("cls_token", "[CLS]"), special("sep_token", "[SEP]"))
        return .object([
            .init("version", .string("1.0")), .init("truncation", .null), .init("padding", .null),
            .init(
                "added_tokens",
                .array(
                    specials.compactMap { name in
                        ids[name].map { entry(.init(name, id: $0, isNormalized: false), isSpecial: true) }
                    })),
            .init(
                "normalizer",
                .object([
                    .init("type", .string("BertNormalizer")), .init("clean_text", .bool(true)),
                    .init("handle_chinese_chars", configuration["tokenize_chinese_chars"] ?? .bool(true)),
                    .init("strip_accents", configuration["strip_accents"] ?? .null),
                    .init("lowercase", configuration["do_lower_case"] ?? .bool(true)),
                ])), .init("pre_tokenizer", .object([.init("type", .string("BertPreTokenizer"))])),
            .init("post_processor", template(first, last, ids)),
            .init(
                "decoder",
                .object([
                    .init("type", .string("WordPiece")), .init("prefix", .string("##")), .init("cleanup", .bool(true)),
                ])),
            .init(
                "model",
                .object([
                    .init("type", .string("WordPiece")), .init("unk_token", .string(special("unk_token", "[UNK]"))),
                    .init("continuing_subword_prefix", .string("##")), .init("max_input_chars_per_word", .integer(100)),
                    .init("vocab", .object(known)),
                ])),
        ])
    }

    /// A line each, without the white space at its end.
    private static func tokens(_ path: String) throws(FileError) -> [String] {
        // Bytes: to Swift "\r\n" is one character.
        let lines = try FileSystem.read(path).split(separator: 0x0A, omittingEmptySubsequences: false)
        return (lines.last?.isEmpty == true ? lines.dropLast() : lines[...]).map { line in
            var token = String(decoding: line, as: UTF8.self)
            while token.unicodeScalars.last?.properties.isWhitespace == true { token.unicodeScalars.removeLast() }
            return token
        }
    }

    /// Where the special tokens before and after one text or two go.
    private static func template(_ first: String, _ last: String, _ ids: [String: Int]) -> JSONValue {
        func part(_ kind: String, _ name: String, _ type: Int) -> JSONValue {
            .object([.init(kind, .object([.init("id", .string(name)), .init("type_id", .integer(type))]))])
        }
        let single = [
            part("SpecialToken", first, 0), part("Sequence", "A", 0), part("SpecialToken", last, 0),
        ]
        let second = [part("Sequence", "B", 1), part("SpecialToken", last, 1)]
        let tokens = [first, last].map { name in
            JSONValue.Member(
                name,
                .object([
                    .init("id", .string(name)), .init("ids", .array([.integer(ids[name] ?? 0)])),
                    .init("tokens", .array([.string(name)])),
                ]))
        }
        return .object([
            .init("type", .string("TemplateProcessing")), .init("single", .array(single)),
            .init("pair", .array(single + second)), .init("special_tokens", .object(tokens)),
        ])
    }
}
