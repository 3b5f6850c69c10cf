/// What a search for pieces needs: the tree of pieces, the special tokens and the rules for characters.
struct WordPieceModel: Sendable {
    let trie: PieceTrie
    /// Where a piece that continues a word is searched from; nil when no piece has the prefix.
    let continuation: UInt32?
    let unknownID: Int32
    /// Longest first: of several that match, the longest is meant.
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
                    problem: "the pieces need more than \(PieceTrie.capacity) tree positions: is this a WordPiece vocabulary?")
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
