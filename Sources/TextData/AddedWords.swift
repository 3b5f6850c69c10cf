package import Foundation

/// Words of a domain that a tokenizer learns, and the pieces they were made of before.
package struct AddedWords: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        /// As the file writes it.
        package let text: String
        package let id: Int32
        /// Of the tokenizer without it.
        package let pieces: [Int32]
    }

    package let words: [Word]
    /// Lines of the file that are one piece already, or stand there twice.
    package let knownCount: Int

    /// Reads a file with a word a line; empty lines count for nothing.
    ///
    /// - Parameters:
    ///   - folder: of the tokenizer that the words are added to.
    ///   - rows: of the model's word table.
    /// - Throws: ``DatasetError`` where the file holds no new word; ``TokenizerError``.
    package init(path: String, folder: URL, rows: Int? = nil) throws {
        let file: TextFile
        do { file = try TextFile(path: path) } catch { throw DatasetError(path: path, problem: error.problem) }
        let tokenizer = try WordPieceTokenizer(folder: folder, rows: rows)
        guard tokenizer.vocabulary.hasDistinctTokens else {
            throw DatasetError(
                path: folder.path,
                problem: "the vocabulary has a token twice or an id without one, so that Transformers would number added words "
                    + "otherwise: leave out --add-tokens")
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
                throw DatasetError(path: path, line: number + 1, problem: "nothing is left of \"\(text)\" once it is cleaned: take the line out")
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
                problem: "has no word that the vocabulary lacks, expected one a line: leave out --add-tokens")
        }
        self.words = words
        knownCount = known
    }
}
