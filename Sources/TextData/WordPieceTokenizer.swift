package import Foundation

/// A text, or a pair of texts, as input of the encoder.
package struct Encoding: Equatable, Sendable {
    /// [CLS], the text's tokens, [SEP], and for a pair the second text's tokens and another [SEP].
    package let ids: [Int32]
    /// 0 up to the first [SEP], 1 after it if the tokenizer gives types; as many as `ids`.
    package let types: [UInt8]
    /// Whether the text was truncated to the maximum length.
    package let truncated: Bool
}

/// WordPiece with the results of Hugging Face's fast BERT tokenizer.
package struct WordPieceTokenizer: Sendable {
    package let vocabulary: Vocabulary
    package let options: TextOptions
    /// Tokens that are matched before words: special tokens and added words.
    package let addedTokens: [(text: String, id: Int, isNormalized: Bool, isSingleWord: Bool)]
    private let model: WordPieceModel

    /// The shortest length of a truncated pair: its special tokens.
    package static let shortestLength = 3

    /// Whether the model's tokenizer.json decides how texts are split, instead of its tokenizer_config.json.
    package let followsFile: Bool
    /// Whether the second text of a pair gets token type 1; otherwise all types are 0.
    package let givesTypes: Bool
    /// Whether a text that is too long loses its beginning instead of its end.
    let truncatesLeft: Bool

    /// Reads the tokenizer of a model folder; see ``TokenizerFiles/init(folder:)``.
    ///
    /// - Parameters:
    ///   - lowercase: overrides the folder's setting; accents then follow it.
    ///   - rows: of the model's word table; nil without a model.
    ///   - words: added to those of the folder.
    package init(folder: URL, lowercase: Bool? = nil, rows: Int? = nil, adding words: [AddedWords.Word] = [])
        throws(TokenizerError)
    {
        var files = try TokenizerFiles(folder: folder)
        if let rows { files.keepUsualTokens(below: rows) }
        for word in words {
            files.pieces.append(word.text)
            files.addedTokens.append(AddedToken(word.text, id: word.id, isNormalized: true))
            files.addedOnly.insert(word.id)
        }
        if let lowercase {
            files.options.lowercase = lowercase
            files.options.stripAccents = nil
        }
        try self.init(files)
    }

    /// The tokenizer that the bytes of a tokenizer.json alone describe.
    package init(tokenizerJSON bytes: [UInt8]) throws(TokenizerError) {
        let path = "tokenizer.json"
        let file: TextFile
        do { file = try TextFile(bytes) } catch { throw TokenizerError(path: path, problem: error.problem) }
        try self.init(TokenizerFiles(TokenizerJSON(file, path: path), path: path, configuration: nil))
    }

    init(_ files: TokenizerFiles) throws(TokenizerError) {
        model = try WordPieceModel(files)
        options = files.options
        followsFile = files.followsFile
        givesTypes = files.givesTypes
        truncatesLeft = files.truncatesLeft
        addedTokens = files.addedTokens.map {
            (String(decoding: $0.bytes, as: UTF8.self), Int($0.id), $0.isNormalized, $0.isSingleWord)
        }
        vocabulary = Vocabulary(pieces: files.pieces, specials: files.specials)
    }

    /// Encodes `text` and `pair`, if given; above `maxLength` the longer of the two is truncated first.
    ///
    /// - Complexity: O(bytes), for a single text only up to `maxLength` unless its beginning is cut off.
    package func encode(_ text: String, pair: String? = nil, maxLength: Int? = nil) -> Encoding {
        var ids: [Int32] = []
        var scratch = Scratch(self)
        let shape = scratch.append(text, pair: pair, maxLength: maxLength, to: &ids)
        return Encoding(ids: ids, types: shape.types, truncated: shape.truncated)
    }

    /// The index of a word's first token in its sentence, or of the first one that is not cut off. A word without
    /// tokens has no entry.
    package struct FirstPiece: Equatable, Sendable {
        package let word: Int
        package let token: Int32
    }

    /// Encodes a sentence that is given word by word, as Hugging Face's tokenizers do with is_split_into_words.
    package func encode(words: [String], maxLength: Int) -> (encoding: Encoding, firstPieces: [FirstPiece]) {
        var ids: [Int32] = []
        var scratch = Scratch(self)
        let shape = scratch.append(words: words, maxLength: maxLength, to: &ids)
        let types = [UInt8](repeating: 0, count: ids.count)
        return (Encoding(ids: ids, types: types, truncated: shape.truncated), shape.firstPieces)
    }

    /// The composition of the ids that one sample appended.
    struct Shape {
        let firstCount: Int
        let secondCount: Int
        let truncated: Bool

        var types: [UInt8] { Array(repeating: 0, count: firstCount) + Array(repeating: 1, count: secondCount) }
    }

    /// Encodes samples one after another, reusing memory.
    struct Scratch {
        private let specials: Vocabulary.Specials
        private let truncatesLeft: Bool
        private let givesTypes: Bool
        private var search: PieceSearch
        private var second: [Int32] = []

        init(_ tokenizer: WordPieceTokenizer) {
            specials = tokenizer.vocabulary.specials
            truncatesLeft = tokenizer.truncatesLeft
            givesTypes = tokenizer.givesTypes
            search = PieceSearch(tokenizer.model)
        }

        mutating func append(_ text: String, pair: String?, maxLength: Int?, to ids: inout [Int32]) -> Shape {
            let specialCount = pair == nil ? 2 : 3
            precondition(
                maxLength ?? .max >= specialCount,
                "a length of \(maxLength ?? 0) has no room for \(specialCount) special tokens")
            let start = ids.count
            let room = maxLength.map { $0 - specialCount } ?? .max
            let enough = room == .max || truncatesLeft ? Int.max : room + 1
            ids.append(specials.classification)
            search.appendPieces(of: text.utf8.span, limit: enough, to: &ids)
            let firstFound = ids.count - start - 1
            guard let pair else {
                let kept = min(firstFound, room)
                cut(&ids, from: start + 1, keeping: kept)
                ids.append(specials.separator)
                return Shape(firstCount: kept + 2, secondCount: 0, truncated: kept < firstFound)
            }
            second.removeAll(keepingCapacity: true)
            search.appendPieces(of: pair.utf8.span, limit: enough, to: &second)
            let kept = keep(text, firstFound, pair, second.count, room: room)
            cut(&ids, from: start + 1, keeping: kept.first)
            ids.append(specials.separator)
            ids.append(contentsOf: truncatesLeft ? second.suffix(kept.second) : second.prefix(kept.second))
            ids.append(specials.separator)
            let isTruncated = kept.first < firstFound || kept.second < second.count
            guard givesTypes else {
                return Shape(firstCount: ids.count - start, secondCount: 0, truncated: isTruncated)
            }
            return Shape(firstCount: kept.first + 2, secondCount: kept.second + 1, truncated: isTruncated)
        }

        /// Cuts the tokens after `start` down to `count`.
        private func cut(_ ids: inout [Int32], from start: Int, keeping count: Int) {
            if truncatesLeft {
                ids.removeSubrange(start..<ids.count - count)
            } else {
                ids.removeLast(ids.count - start - count)
            }
        }

        /// Encodes a sentence that is given word by word; words that do not fit are left out.
        mutating func append(words: [String], maxLength: Int, to ids: inout [Int32]) -> (
            firstPieces: [FirstPiece], truncated: Bool
        ) {
            if truncatesLeft { return appendLast(words: words, maxLength: maxLength, to: &ids) }
            let start = ids.count
            let end = start + maxLength - 1
            var firsts: [FirstPiece] = []
            ids.append(specials.classification)
            var read = 0
            for (place, word) in words.enumerated() {
                let token = ids.count
                guard token < end else { break }
                read = place + 1
                search.appendPieces(of: word.utf8.span, limit: .max, to: &ids)
                if ids.count > token { firsts.append(FirstPiece(word: place, token: Int32(token - start))) }
            }
            let isTruncated = ids.count > end || read < words.count
            if ids.count > end { ids.removeLast(ids.count - end) }
            ids.append(specials.separator)
            return (firsts, isTruncated)
        }

        /// As ``append(words:maxLength:to:)`` for a tokenizer that cuts off the beginning.
        private mutating func appendLast(words: [String], maxLength: Int, to ids: inout [Int32]) -> (
            firstPieces: [FirstPiece], truncated: Bool
        ) {
            let start = ids.count
            ids.append(specials.classification)
            var ranges: [Range<Int>] = []
            for word in words {
                let token = ids.count
                search.appendPieces(of: word.utf8.span, limit: .max, to: &ids)
                ranges.append(token..<ids.count)
            }
            let found = ids.count - start - 1
            let kept = min(found, maxLength - 2)
            cut(&ids, from: start + 1, keeping: kept)
            ids.append(specials.separator)
            let isCut = found - kept
            var firsts: [FirstPiece] = []
            for (word, range) in ranges.enumerated() where range.upperBound > max(start + 1 + isCut, range.lowerBound) {
                let token = max(range.lowerBound - isCut, start + 1)
                firsts.append(FirstPiece(word: word, token: Int32(token - start)))
            }
            return (firsts, isCut > 0)
        }

        /// How many tokens of each text remain, given how many were found before the search ended.
        private mutating func keep(_ text: String, _ first: Int, _ pair: String, _ second: Int, room: Int) -> (
            first: Int, second: Int
        ) {
            if first <= room, second <= room { return PairTruncation.keep(first, second, room: room) }
            if first <= room || second <= room || room.isMultiple(of: 2) {
                return PairTruncation.keep(min(first, room + 1), min(second, room + 1), room: room)
            }
            // Both are too long and one token is left over: it goes to the longer text, so both must be counted.
            var counted: [Int32] = []
            search.appendPieces(of: text.utf8.span, limit: .max, to: &counted)
            let firstCount = counted.count
            counted.removeAll(keepingCapacity: true)
            search.appendPieces(of: pair.utf8.span, limit: .max, to: &counted)
            return PairTruncation.keep(firstCount, counted.count, room: room)
        }
    }
}

/// The strategy "longest first": the remaining lengths of two texts that together exceed the limit.
enum PairTruncation {
    /// The shorter text stays whole while it takes no more than half; otherwise both get half, the longer one the odd
    /// token, or the second of two equally long ones.
    static func keep(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
        if first <= room, second <= room - first { return (first, second) }
        let shorter = min(first, second)
        let half = room / 2
        let kept = shorter <= half ? (shorter, room - shorter) : (half, room - half)
        return first > second ? (kept.1, kept.0) : kept
    }
}
