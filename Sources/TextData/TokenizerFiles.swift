internal import Foundation

/// A model folder's description of its tokenizer, before a tokenizer is built from it.
struct TokenizerFiles {
    /// The file that the vocabulary came from.
    var path: String
    /// The vocabulary's tokens and then the added ones, by id; an id without a token is empty.
    var pieces: [String]
    var options = TextOptions()
    var specials: Vocabulary.Specials
    var addedTokens: [AddedToken] = []
    /// Tokens that match only as added tokens, not as parts of words.
    var addedOnly: Set<Int32> = []
    /// Added tokens that no file names: Transformers adds BERT's usual ones.
    private(set) var usual: Set<Int32> = []
    var continuationPrefix = "##"
    var maxWordCharacters = 100
    /// Whether tokenizer.json decides how texts are split, instead of the settings of tokenizer_config.json.
    private(set) var followsFile = false
    /// Whether a text that is too long loses its beginning instead of its end.
    private(set) var truncatesLeft = false
    /// Whether the second text of a pair gets token type 1.
    private(set) var givesTypes = true

    /// Reads the files as Transformers' `AutoTokenizer` does.
    ///
    /// tokenizer.json's vocabulary takes precedence over vocab.txt. Its other settings count if the class is
    /// PreTrainedTokenizerFast; BertTokenizer follows tokenizer_config.json, and its own defaults for missing keys.
    init(folder: URL) throws(TokenizerError) {
        let configuration = try TokenizerConfiguration(folder: folder)
        let json = folder.appendingPathComponent("tokenizer.json").path
        let vocabulary = folder.appendingPathComponent("vocab.txt").path
        if FileManager.default.fileExists(atPath: json) {
            try self.init(TokenizerJSON(path: json), path: json, configuration: configuration)
        } else if FileManager.default.fileExists(atPath: vocabulary) {
            let pieces = try Self.pieces(ofLinesAt: vocabulary)
            try self.init(
                path: vocabulary, pieces: pieces, hasEmptyToken: pieces.contains(""), configuration: configuration)
        } else {
            throw TokenizerError(
                path: folder.path,
                problem: "has neither tokenizer.json nor vocab.txt: name a Hugging Face model folder that has one")
        }
    }

    /// Reads the tokenizer.json at `path` with the folder's configuration, or without one.
    init(_ file: TokenizerJSON, path: String, configuration: TokenizerConfiguration?) throws(TokenizerError) {
        if let configuration, configuration.kind == .bert {
            try self.init(
                path: path, pieces: file.pieces, hasEmptyToken: file.hasEmptyToken, configuration: configuration,
                listed: file.addedTokens)
        } else {
            try file.checkPipeline(path: path, needsTemplate: configuration != nil)
            try self.init(following: file, path: path, configuration: configuration ?? .init())
        }
        truncatesLeft = configuration?.truncatesLeft ?? file.truncatesLeft ?? false
    }

    private init(following file: TokenizerJSON, path: String, configuration: TokenizerConfiguration)
        throws(TokenizerError)
    {
        self.path = path
        followsFile = true
        pieces = file.pieces
        options = file.options
        continuationPrefix = file.continuationPrefix
        maxWordCharacters = file.maxWordCharacters
        givesTypes = configuration.givesTypes && file.givesTypes
        let present = file.addedTokens.map(\.token)
        var table = AddedTokenTable(pieces, hasEmptyToken: file.hasEmptyToken)
        table.add(present)
        table.add(Self.tokens(configuration, listed: file.addedTokens, present: present))
        let named = configuration.named.mapValues(\.text)
        specials = try table.specials(
            path: path, unknown: file.unknownToken ?? "[UNK]",
            first: file.template.map { .id($0.first) } ?? .token("[CLS]"),
            last: file.template.map { .id($0.last) } ?? .token("[SEP]"),
            padding: named["pad_token"] ?? "[PAD]", mask: named["mask_token"] ?? "[MASK]")
        (pieces, addedTokens, addedOnly) = (table.pieces, table.tokens, table.addedOnly)
    }

    /// A tokenizer of these tokens with BertTokenizer's rules and special tokens.
    /// - Parameters:
    ///   - hasEmptyToken: whether one of the empty `pieces` is a token, not only an id without one.
    ///   - listed: tokens that a tokenizer.json adds, by id.
    init(
        path: String = "vocabulary", pieces: [String], hasEmptyToken: Bool = false,
        configuration: TokenizerConfiguration = .init(), listed: [(id: Int, token: TokenEntry)] = []
    ) throws(TokenizerError) {
        self.path = path
        options = configuration.options
        truncatesLeft = configuration.truncatesLeft ?? false
        givesTypes = configuration.givesTypes
        let listed = configuration.listsAllAdded ? [] : listed
        let usual = [
            "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
            "mask_token": "[MASK]",
        ].filter { !configuration.absent.contains($0.key) }
        var table = AddedTokenTable(pieces, hasEmptyToken: hasEmptyToken)
        table.add(Self.tokens(configuration, listed: listed, present: [], usual: usual))
        let given = Self.tokens(configuration, listed: listed, present: []).map(\.bytes)
        let unasked = Set(usual.values.map { Array($0.utf8) }).subtracting(given)
        self.usual = table.addedOnly.filter { unasked.contains(Array(table.pieces[Int($0)].utf8)) }
        func name(_ key: String) -> String? { configuration.named[key]?.text ?? usual[key] }
        guard let unknown = name("unk_token") else {
            throw TokenizerError(
                path: path,
                problem: "its tokenizer has a null unk_token, expected one such as [UNK]: name one in "
                    + "tokenizer_config.json")
        }
        specials = try table.specials(
            path: path, unknown: unknown,
            first: name("cls_token").map { .token($0) } ?? .id(name("sep_token") == nil ? 3 : 2),
            last: name("sep_token").map { .token($0) } ?? .id(3),
            padding: name("pad_token"), mask: name("mask_token"), except: self.usual)
        (self.pieces, addedTokens, addedOnly) = (table.pieces, table.tokens, table.addedOnly)
    }

    /// Omits tokens that Transformers adds by default if the model has no row for them: the model's texts do not
    /// contain them.
    mutating func keepUsualTokens(below rows: Int) {
        while pieces.count > rows, let last = pieces.indices.last.map({ Int32($0) }), usual.contains(last) {
            pieces.removeLast()
            addedTokens.removeAll { $0.id == last }
            addedOnly.remove(last)
        }
    }

    /// The tokens that Transformers adds to a tokenizer, in its order.
    ///
    /// - Parameters:
    ///   - listed: those of tokenizer.json, which take precedence over added_tokens.json; used if tokenizer_config.json
    ///     does not list all.
    ///   - present: those that the tokenizer has already.
    ///   - usual: the class's default names, for tokens that no file names.
    private static func tokens(
        _ configuration: TokenizerConfiguration, listed: [(id: Int, token: TokenEntry)], present: [TokenEntry],
        usual: [String: String] = [:]
    ) -> [TokenEntry] {
        var decoder: [Int: TokenEntry] = [:]
        var byText: [[UInt8]: TokenEntry] = [:]
        for (id, token) in configuration.added + (configuration.listsAllAdded ? [] : listed) {
            decoder[id] = token
            byText[token.bytes] = token
        }
        var tokens = decoder.sorted { $0.key < $1.key }.map(\.value).filter { !present.contains($0) }
        let known = Set((present + tokens).map(\.bytes))
        let named = TokenizerConfiguration.names.compactMap { key in
            configuration.named[key].map { byText[$0.bytes] ?? $0 } ?? usual[key].map { TokenEntry($0) }
        }
        // Without a list that has its text, a token is added again where it is described differently: the last counts.
        for token in named + configuration.namedOtherwise + configuration.further
        where !known.contains(token.bytes) && !tokens.contains(where: { $0.isSame(token) }) { tokens.append(token) }
        return tokens
    }

    /// One token per line; the line's number, from 0, is its id.
    private static func pieces(ofLinesAt path: String) throws(TokenizerError) -> [String] {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw TokenizerError(path: path, problem: error.problem) }
        // A byte order mark belongs to the first token, as in the reference.
        let bytes = file.hadMark ? Array("\u{FEFF}".utf8) + file.bytes : file.bytes
        guard !bytes.isEmpty else {
            throw TokenizerError(
                path: path, problem: "is empty, expected one token per line: copy the model's vocabulary again")
        }
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { line in
            var piece = String(decoding: line, as: UTF8.self)
            while piece.unicodeScalars.last?.properties.isWhitespace == true { piece.unicodeScalars.removeLast() }
            return piece
        }
    }
}

/// A vocabulary to which tokens are added as Hugging Face's Tokenizers adds them.
struct AddedTokenTable {
    private(set) var pieces: [String]
    private(set) var tokens: [AddedToken] = []
    private(set) var addedOnly: Set<Int32> = []
    /// Distinct tokens of the vocabulary itself.
    let vocabularyCount: Int

    private var ids: [[UInt8]: Int32] = [:]
    private var largestAdded: Int32?

    init(_ pieces: [String], hasEmptyToken: Bool) {
        self.pieces = pieces
        for (index, piece) in pieces.enumerated() where !piece.isEmpty { ids[Array(piece.utf8)] = Int32(index) }
        vocabularyCount = ids.count + (hasEmptyToken ? 1 : 0)
    }

    /// How a file names a token that stands before or after a text.
    enum Border {
        case token(String)
        case id(Int)
    }

    /// The tokens with a meaning of their own.
    /// - Parameter unasked: tokens to treat as absent.
    func specials(
        path: String, unknown: String, first: Border, last: Border, padding: String?, mask: String?,
        except unasked: Set<Int32> = []
    ) throws(TokenizerError) -> Vocabulary.Specials {
        func id(_ token: String) -> Int32? { ids[Array(token.utf8)].flatMap { unasked.contains($0) ? nil : $0 } }
        func needed(_ border: Border) throws(TokenizerError) -> Int32 {
            let (found, name) =
                switch border {
                case .token(let token): (id(token), token)
                case .id(let id): (id < pieces.count ? Int32(id) : nil, "token \(id)")
                }
            guard let found else {
                throw TokenizerError(
                    path: path,
                    problem:
                        "\(name) is not among the \(vocabularyCount) tokens, a BERT tokenizer needs it: is this its "
                        + "vocabulary?"
                )
            }
            return found
        }
        return Vocabulary.Specials(
            unknown: try needed(.token(unknown)), classification: try needed(first), separator: try needed(last),
            padding: padding.flatMap(id), mask: mask.flatMap(id))
    }

    /// Adds tokens in order: one that is in the vocabulary keeps its id, others get the next ids after those that were
    /// added before.
    mutating func add(_ added: [TokenEntry]) {
        var next = max((largestAdded ?? -1) + 1, Int32(vocabularyCount))
        for token in added where !token.text.isEmpty {
            if let id = ids[token.bytes] {
                place(token, id)
            } else {
                place(token, next)
                next += 1
            }
        }
    }

    private mutating func place(_ token: TokenEntry, _ id: Int32) {
        if ids[token.bytes] == nil {
            while pieces.count <= Int(id) { pieces.append("") }
            // If the vocabulary names a token twice, an id may be taken already.
            if pieces[Int(id)].isEmpty {
                pieces[Int(id)] = token.text
                addedOnly.insert(id)
            }
            ids[token.bytes] = id
        }
        largestAdded = max(largestAdded ?? id, id)
        // Of those with one id, which a vocabulary with gaps or a token twice leads to, only the last is matched.
        tokens.removeAll { $0.bytes == token.bytes || $0.id == id }
        tokens.append(
            AddedToken(token.text, id: id, isNormalized: token.isNormalized, isSingleWord: token.isSingleWord))
    }
}
