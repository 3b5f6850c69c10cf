/// Words that are matched anywhere in the normalized text: Hugging Face's added tokens.
struct NormalizedWords: Sendable {
    /// By first character: the characters of each word and its id, the longest first.
    private var byFirst: [UInt32: [(characters: [UInt32], id: Int32)]] = [:]

    var isEmpty: Bool { byFirst.isEmpty }

    init(_ tokens: [AddedToken], _ folding: CharacterFolding) {
        for token in tokens {
            let characters = Self.normalized(String(decoding: token.bytes, as: UTF8.self), folding)
            guard let first = characters.first else { continue }
            byFirst[first, default: []].append((characters, token.id))
        }
        for first in byFirst.keys {
            byFirst[first]?.sort { ($0.characters.count, $1.id) > ($1.characters.count, $0.id) }
        }
    }

    /// The characters of a normalized text.
    static func normalized(_ text: String, _ folding: CharacterFolding) -> [UInt32] {
        var characters: [UInt32] = []
        for scalar in text.unicodeScalars {
            folding.forEachOutput(of: scalar) { if $0.role != .barrier { characters.append($0.value) } }
        }
        return characters
    }

    /// The longest word at `start`, and its end.
    func match(_ text: [CharacterFolding.Output], at start: Int) -> (id: Int32, end: Int)? {
        guard text[start].role != .barrier, let words = byFirst[text[start].value] else { return nil }
        for (characters, id) in words {
            var (place, matched) = (start, 0)
            while place < text.count, matched < characters.count {
                if text[place].role != .barrier {
                    guard text[place].value == characters[matched] else { break }
                    matched += 1
                }
                place += 1
            }
            if matched == characters.count { return (id, place) }
        }
        return nil
    }
}

extension PieceSearch {
    /// As ``appendPieces(of:limit:to:)``, with added words matched in the normalized text first. Memory grows with the
    /// text.
    ///
    /// - Complexity: O(bytes), times the number of words with the same first character.
    mutating func appendPiecesAndWords(of text: Span<UInt8>, limit: Int, to ids: inout [Int32]) {
        let end = limit > Int.max - ids.count ? Int.max : ids.count + limit
        var normalized: [CharacterFolding.Output] = []
        var index = 0
        while index < text.count, ids.count < end {
            if let token = model.addedTokens.first(where: { $0.matches(text, at: index) }) {
                appendNormalized(normalized, end: end, to: &ids)
                normalized.removeAll(keepingCapacity: true)
                if ids.count < end { ids.append(token.id) }
                index += token.bytes.count
                continue
            }
            let (scalar, length) = Self.scalar(of: text, at: index)
            model.folding.forEachOutput(of: scalar) { normalized.append($0) }
            index += length
        }
        if ids.count < end { appendNormalized(normalized, end: end, to: &ids) }
        clearWord()
    }

    private mutating func appendNormalized(_ text: [CharacterFolding.Output], end: Int, to ids: inout [Int32]) {
        var place = 0
        while place < text.count, ids.count < end {
            if let found = model.words.match(text, at: place) {
                endWord(&ids)
                ids.append(found.id)
                place = found.end
            } else {
                take(text[place], &ids)
                place += 1
            }
        }
        if ids.count < end { endWord(&ids) }
        clearWord()
    }
}
