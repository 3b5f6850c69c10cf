package import Foundation

/// Words of a domain that are added to a tokenizer, and the tokens that represented them before.
package struct AddedWords: Sendable, Equatable {
    /// One added word.
    package struct Word: Sendable, Equatable {
        /// As written in the file.
        package let text: String
        package let id: Int32
        /// Its tokens without the addition.
        package let pieces: [Int32]
    }

    package let words: [Word]
    /// Lines of the file that already are one token, or are duplicates.
    package let knownCount: Int

    /// Reads a file with one word per line; empty lines are ignored.
    ///
    /// - Parameters:
    ///   - folder: of the tokenizer that the words are added to.
    ///   - rows: of the model's word table.
    /// - Throws: ``DatasetError`` if the file has no new word; ``TokenizerError``.
    package init(path: String, folder: URL, rows: Int? = nil) throws {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw DatasetError(path: path, problem: error.problem) }
        let tokenizer = try WordPieceTokenizer(folder: folder, rows: rows)
        guard tokenizer.vocabulary.hasDistinctTokens else {
            throw DatasetError(
                path: folder.path,
                problem:
                    "the vocabulary has a token twice or an id without one, so Transformers would number added words "
                    + "differently: leave out --add-tokens")
        }
        let folding = CharacterFolding(tokenizer.options)
        var seen: Set<[UInt32]> = []
        var words: [Word] = []
        var known = 0
        for (number, line) in file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if text.isEmpty { continue }
            let characters = NormalizedWords.normalized(text, folding)
            guard !characters.isEmpty else {
                throw DatasetError(
                    path: path, line: number + 1,
                    problem: "nothing is left of \"\(text)\" once it is cleaned: remove the line")
            }
            let pieces = Array(tokenizer.encode(text).ids.dropFirst().dropLast())
            let isKnown = pieces.count == 1 && pieces[0] != tokenizer.vocabulary.specials.unknown
            guard !isKnown, seen.insert(characters).inserted else {
                known += 1
                continue
            }
            words.append(Word(text: text, id: Int32(tokenizer.vocabulary.count + words.count), pieces: pieces))
        }
        guard !words.isEmpty else {
            throw DatasetError(
                path: path,
                problem: "has no word that the vocabulary lacks, expected one per line: leave out --add-tokens")
        }
        self.words = words
        knownCount = known
    }
}
