/// The data of a token search: the trie of tokens, the special tokens and the rules for characters.
struct WordPieceModel: Sendable {
    let trie: PieceTrie
    /// The start position for tokens that continue a word; nil if no token has the prefix.
    let continuation: UInt32?
    let unknownID: Int32
    /// Longest first: the longest match wins.
    let addedTokens: [AddedToken]
    /// Those that are matched in the normalized text.
    let words: NormalizedWords
    let maxWordCharacters: Int
    let actions: ByteActions
    let folding: CharacterFolding

    init(_ files: TokenizerFiles) throws(TokenizerError) {
        var trie = PieceTrie()
        for (index, piece) in files.pieces.enumerated() where !files.addedOnly.contains(Int32(index)) {
            guard trie.insert(Array(piece.utf8), id: Int32(index)) else {
                throw TokenizerError(
                    path: files.path,
                    problem:
                        "the tokens need more than \(PieceTrie.capacity) tree positions: is this a WordPiece "
                        + "vocabulary?"
                )
            }
        }
        self.trie = trie
        continuation = trie.position(after: Array(files.continuationPrefix.utf8))
        unknownID = files.specials.unknown
        let raw = files.addedTokens.filter { !$0.isNormalized }
        addedTokens = raw.sorted { $0.bytes.count > $1.bytes.count }
        maxWordCharacters = files.maxWordCharacters
        actions = ByteActions(files.options, addedTokens: raw)
        folding = CharacterFolding(files.options)
        words = NormalizedWords(files.addedTokens.filter(\.isNormalized), folding)
    }
}
