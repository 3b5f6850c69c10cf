internal import Foundation

/// What a model folder says about its tokenizer, before anything is built from it.
struct TokenizerFiles {
    /// The file that the pieces came from.
    var path: String
    var pieces: [String]
    var options = TextOptions()
    var specials: Vocabulary.Specials
    var addedTokens: [AddedToken]
    /// Pieces that are cut out of the text as added tokens only: no word is made of them.
    var addedOnly: Set<Int32> = []
    var continuationPrefix = "##"
    var maxWordCharacters = 100

    /// tokenizer.json wins over vocab.txt, tokenizer_config.json over both, as in Transformers.
    init(folder: URL) throws(TokenizerError) {
        let configuration = try TokenizerConfiguration(folder: folder)
        let json = folder.appendingPathComponent("tokenizer.json").path
        let vocabulary = folder.appendingPathComponent("vocab.txt").path
        if FileManager.default.fileExists(atPath: json) {
            try self.init(TokenizerJSON(path: json), path: json, configuration: configuration)
        } else if FileManager.default.fileExists(atPath: vocabulary) {
            let pieces = try Self.pieces(ofLinesAt: vocabulary)
            try self.init(path: vocabulary, pieces: pieces, configuration: configuration)
            options = configuration.options(over: TextOptions())
        } else {
            throw TokenizerError(
                path: folder.path, problem: "neither tokenizer.json nor vocab.txt is there: name a Hugging Face model folder that has one")
        }
    }

    /// What a tokenizer.json says, at `path`, under the folder's configuration.
    init(_ file: TokenizerJSON, path: String, configuration: TokenizerConfiguration = .init()) throws(TokenizerError) {
        try self.init(path: path, pieces: file.pieces, configuration: configuration, listed: file.addedTokens, unknown: file.unknownToken)
        addedOnly = file.addedOnly
        continuationPrefix = file.continuationPrefix
        maxWordCharacters = file.maxWordCharacters
        options = configuration.options(over: file.options)
    }

    /// A tokenizer of these pieces with Hugging Face's default rules and tokens.
    init(
        path: String = "vocabulary", pieces: [String], configuration: TokenizerConfiguration = .init(), listed: [AddedToken] = [],
        unknown: String? = nil
    ) throws(TokenizerError) {
        self.path = path
        self.pieces = pieces
        var ids: [[UInt8]: Int32] = [:]
        for (index, piece) in pieces.enumerated() { ids[Array(piece.utf8)] = Int32(index) }
        func id(_ token: String) -> Int32? { ids[Array(token.utf8)] }
        func needed(_ token: String) throws(TokenizerError) -> Int32 {
            guard let id = id(token) else {
                throw TokenizerError(
                    path: path, problem: "\(token) is not among the \(pieces.count) pieces, a BERT tokenizer needs it: is this its vocabulary?")
            }
            return id
        }
        let names = configuration.specialTokens
        specials = Vocabulary.Specials(
            unknown: try needed(names["unk_token"] ?? unknown ?? "[UNK]"),
            classification: try needed(names["cls_token"] ?? "[CLS]"),
            separator: try needed(names["sep_token"] ?? "[SEP]"),
            padding: id(names["pad_token"] ?? "[PAD]"),
            mask: id(names["mask_token"] ?? "[MASK]"))
        addedTokens = listed
        for token in configuration.furtherTokens where !listed.contains(where: { $0.bytes == Array(token.utf8) }) {
            if let id = id(token) { addedTokens.append(AddedToken(token, id: id)) }
        }
        for special in [specials.unknown, specials.classification, specials.separator, specials.padding, specials.mask] {
            guard let special else { continue }
            let token = AddedToken(pieces[Int(special)], id: special)
            if !addedTokens.contains(where: { $0.id == token.id }) { addedTokens.append(token) }
        }
    }

    /// One piece a line; the line's number, from 0, is its id.
    private static func pieces(ofLinesAt path: String) throws(TokenizerError) -> [String] {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw TokenizerError(path: path, problem: error.problem) }
        guard !file.bytes.isEmpty else {
            throw TokenizerError(path: path, problem: "is empty, one piece a line was needed: copy the model's vocabulary again")
        }
        var lines = file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { line in
            var piece = String(decoding: line, as: UTF8.self)
            while piece.unicodeScalars.last?.properties.isWhitespace == true { piece.unicodeScalars.removeLast() }
            return piece
        }
    }
}
