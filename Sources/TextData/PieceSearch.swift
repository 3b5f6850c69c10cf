/// Turns one text into token ids: a single pass over its UTF-8 bytes that builds one word at a time.
///
/// Memory does not grow with the text: a word over the character limit is only counted, and the pass ends after `limit`
/// tokens.
struct PieceSearch {
    let model: WordPieceModel
    private var word: [UInt8] = []
    private var characterCount = 0
    /// Ordered marks of the word never move before this position in it.
    private var markBorder = 0

    init(_ model: WordPieceModel) {
        self.model = model
        word.reserveCapacity(256)
    }

    /// Appends the token ids of `text`, which must be valid UTF-8, to `ids`; may exceed `limit` by up to one word.
    ///
    /// - Complexity: O(bytes up to the last token), times the length of the longest token at worst.
    mutating func appendPieces(of text: Span<UInt8>, limit: Int, to ids: inout [Int32]) {
        guard model.words.isEmpty else { return appendPiecesAndWords(of: text, limit: limit, to: &ids) }
        let end = limit > Int.max - ids.count ? Int.max : ids.count + limit
        var (index, plainEnd) = (0, 0)
        while index < text.count, ids.count < end {
            let byte = text[index]
            var action = model.actions.action(of: byte)
            if action == .maybeAddedToken {
                if index >= plainEnd, let token = model.addedTokens.first(where: { $0.matches(text, at: index) }) {
                    if token.counts(in: text, at: index) {
                        endWord(&ids)
                        ids.append(token.id)
                        index += token.bytes.count
                        continue
                    }
                    plainEnd = index + token.bytes.count
                }
                action = ByteActions.ordinaryAction(of: Unicode.Scalar(byte), cleansText: model.actions.cleansText)
            }
            switch action {
            case .inWord:
                append(byte: model.actions.lower(byte))
            case .separator:
                endWord(&ids)
            case .wordOfItsOwn:
                endWord(&ids)
                append(byte: byte)
                endWord(&ids)
            case .drop, .maybeAddedToken:
                break
            case .firstOfSeveral:
                let (scalar, length) = Self.scalar(of: text, at: index)
                append(scalar, &ids)
                index += length
                continue
            }
            index += 1
        }
        if ids.count < end { endWord(&ids) }
        clearWord()
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ ids: inout [Int32]) {
        model.folding.forEachOutput(of: scalar) { take($0, &ids) }
    }

    /// Advances by one character of the normalized text.
    @inline(__always)
    mutating func take(_ output: CharacterFolding.Output, _ ids: inout [Int32]) {
        switch output.role {
        case .inWord:
            if output.isOrderedMark { insertMark(output.value) } else { append(value: output.value) }
        case .wordOfItsOwn:
            endWord(&ids)
            append(value: output.value)
            endWord(&ids)
        case .separator:
            endWord(&ids)
        case .barrier:
            markBorder = word.count
        }
    }

    @inline(__always)
    private mutating func append(byte: UInt8) {
        characterCount += 1
        if characterCount <= model.maxWordCharacters { word.append(byte) }
    }

    private mutating func append(value: UInt32) {
        characterCount += 1
        guard characterCount <= model.maxWordCharacters else { return }
        Self.encode(value, into: &word)
    }

    /// Inserts a mark before any mark of a higher combining class: canonical order.
    private mutating func insertMark(_ value: UInt32) {
        characterCount += 1
        guard characterCount <= model.maxWordCharacters else { return }
        let order = Unicode.Scalar(value)!.combiningClass
        var place = word.count
        while place > markBorder {
            var start = place - 1
            while start > markBorder, word[start] & 0xC0 == 0x80 { start -= 1 }
            let (before, _) = Self.scalar(of: word.span, at: start)
            guard before.combiningClass > order else { break }
            place = start
        }
        var bytes: [UInt8] = []
        Self.encode(value, into: &bytes)
        word.insert(contentsOf: bytes, at: place)
    }

    /// Looks the finished word up, longest token first, and starts a new one.
    @inline(__always)
    mutating func endWord(_ ids: inout [Int32]) {
        guard characterCount > 0 else {
            markBorder = 0
            return
        }
        appendPiecesOfWord(to: &ids)
        clearWord()
    }

    @inline(__always)
    mutating func clearWord() {
        word.removeAll(keepingCapacity: true)
        characterCount = 0
        markBorder = 0
    }

    private func appendPiecesOfWord(to ids: inout [Int32]) {
        guard characterCount <= model.maxWordCharacters else {
            ids.append(model.unknownID)
            return
        }
        let first = ids.count
        let word = word.span
        var start = 0
        var position: UInt32? = PieceTrie.root
        while start < word.count {
            var found: Int32 = -1
            var end = start
            var index = start
            while let here = position, index < word.count, let next = model.trie.child(of: here, word[index]) {
                index += 1
                position = next
                let ending = model.trie.ending(at: next)
                if ending >= 0 { (found, end) = (ending, index) }
            }
            guard found >= 0 else {
                ids.removeSubrange(first...)
                ids.append(model.unknownID)
                return
            }
            ids.append(found)
            start = end
            position = model.continuation
        }
    }

    /// The character whose first byte is at `index` of valid UTF-8, and its byte count.
    @inline(__always)
    static func scalar(of text: Span<UInt8>, at index: Int) -> (Unicode.Scalar, Int) {
        let first = UInt32(text[index])
        func next(_ offset: Int) -> UInt32 { UInt32(text[index + offset]) & 0x3F }
        if first < 0x80 { return (Unicode.Scalar(first)!, 1) }
        if first < 0xE0 { return (Unicode.Scalar((first & 0x1F) << 6 | next(1))!, 2) }
        if first < 0xF0 { return (Unicode.Scalar((first & 0x0F) << 12 | next(1) << 6 | next(2))!, 3) }
        return (Unicode.Scalar((first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3))!, 4)
    }

    @inline(__always)
    private static func encode(_ value: UInt32, into bytes: inout [UInt8]) {
        if value < 0x80 {
            bytes.append(UInt8(value))
        } else if value < 0x800 {
            bytes.append(UInt8(0xC0 | value >> 6))
            bytes.append(UInt8(0x80 | value & 0x3F))
        } else if value < 0x10000 {
            bytes.append(UInt8(0xE0 | value >> 12))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        } else {
            bytes.append(UInt8(0xF0 | value >> 18))
            bytes.append(UInt8(0x80 | value >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | value >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | value & 0x3F))
        }
    }
}
