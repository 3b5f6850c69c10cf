/// Words that are matched anywhere in the normalized text: Hugging Face's added tokens.
struct NormalizedWords: Sendable {
    private struct Word: Sendable {
        let characters: [UInt32]
        let id: Int32
        let isSingleWord: Bool
    }

    /// The words that begin with one character. Chinese ones begin with a space, so the second character is looked up
    /// too.
    private struct Group: Sendable {
        /// Words of one character; the first one counts.
        var short: [Word] = []
        /// By the second character, the longest first.
        var bySecond: [UInt32: [Word]] = [:]
    }

    /// A word in a text.
    struct Match: Equatable {
        /// Nil if the word only counts between other words and this is not such a place; no other word is then looked
        /// for before its end.
        let id: Int32?
        let end: Int
    }

    private var byFirst: [UInt32: Group] = [:]

    var isEmpty: Bool { byFirst.isEmpty }

    init(_ tokens: [AddedToken], _ folding: CharacterFolding) {
        var words: [Word] = []
        for token in tokens {
            let characters = Self.normalized(String(decoding: token.bytes, as: UTF8.self), folding)
            words.append(Word(characters: characters, id: token.id, isSingleWord: token.isSingleWord))
        }
        words.sort { ($0.characters.count, $1.id) > ($1.characters.count, $0.id) }
        for word in words {
            guard let first = word.characters.first else { continue }
            if word.characters.count == 1 {
                byFirst[first, default: Group()].short.append(word)
            } else {
                byFirst[first, default: Group()].bySecond[word.characters[1], default: []].append(word)
            }
        }
    }

    /// The characters of a normalized text.
    static func normalized(_ text: String, _ folding: CharacterFolding) -> [UInt32] {
        var characters: [UInt32] = []
        for scalar in text.unicodeScalars {
            folding.forEachSpacedOutput(of: scalar) { if $0.role != .barrier { characters.append($0.value) } }
        }
        return characters
    }

    /// The longest word at `start`.
    func match(_ text: [CharacterFolding.Output], at start: Int) -> Match? {
        guard text[start].role != .barrier, let group = byFirst[text[start].value] else { return nil }
        let next = Self.character(of: text, from: start + 1)
        for word in (next.flatMap { group.bySecond[$0] } ?? []) + group.short {
            var (place, matched) = (start, 0)
            while place < text.count, matched < word.characters.count {
                if text[place].role != .barrier {
                    guard text[place].value == word.characters[matched] else { break }
                    matched += 1
                }
                place += 1
            }
            guard matched == word.characters.count else { continue }
            let isApart = !word.isSingleWord || Self.isApart(text, start..<place)
            return Match(id: isApart ? word.id : nil, end: place)
        }
        return nil
    }

    /// The first character at or after a place.
    private static func character(of text: [CharacterFolding.Output], from start: Int) -> UInt32? {
        text[min(start, text.count)...].first { $0.role != .barrier }?.value
    }

    private static func isApart(_ text: [CharacterFolding.Output], _ range: Range<Int>) -> Bool {
        let before = text[..<range.lowerBound].last { $0.role != .barrier }?.value
        return ![before, character(of: text, from: range.upperBound)].contains { value in
            value.flatMap { Unicode.Scalar($0) }?.isWordCharacter == true
        }
    }
}

extension PieceSearch {
    /// As ``appendPieces(of:limit:to:)``, with added words matched in the normalized text first. Memory grows with the
    /// text.
    ///
    /// - Complexity: O(bytes), times the number of words with the same first two characters.
    mutating func appendPiecesAndWords(of text: Span<UInt8>, limit: Int, to ids: inout [Int32]) {
        let end = limit > Int.max - ids.count ? Int.max : ids.count + limit
        var normalized: [CharacterFolding.Output] = []
        var (index, plainEnd) = (0, 0)
        while index < text.count, ids.count < end {
            if index >= plainEnd, let token = model.addedTokens.first(where: { $0.matches(text, at: index) }) {
                if token.counts(in: text, at: index) {
                    appendNormalized(normalized, end: end, to: &ids)
                    normalized.removeAll(keepingCapacity: true)
                    if ids.count < end { ids.append(token.id) }
                    index += token.bytes.count
                    continue
                }
                plainEnd = index + token.bytes.count
            }
            let (scalar, length) = Self.scalar(of: text, at: index)
            model.folding.forEachSpacedOutput(of: scalar) { normalized.append($0) }
            index += length
        }
        if ids.count < end { appendNormalized(normalized, end: end, to: &ids) }
        clearWord()
    }

    private mutating func appendNormalized(_ text: [CharacterFolding.Output], end: Int, to ids: inout [Int32]) {
        var (place, plainEnd) = (0, 0)
        while place < text.count, ids.count < end {
            if place >= plainEnd, let found = model.words.match(text, at: place) {
                if let id = found.id {
                    endWord(&ids)
                    ids.append(id)
                    place = found.end
                    continue
                }
                plainEnd = found.end
            }
            take(text[place], &ids)
            place += 1
        }
        if ids.count < end { endWord(&ids) }
        clearWord()
    }
}
