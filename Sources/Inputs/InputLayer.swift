package import BERT
package import Configuration
internal import Foundation
package import Tensors
package import TextData
package import Wording

/// How texts reach the encoder: the tokenizer with added words, and the sizes of the embedding tables.
package struct InputLayer {
    package let tokenizer: WordPieceTokenizer
    package let words: AddedWords?
    /// The source's, with rows for the words and, if requested, more positions.
    package let shape: BERTShape
    /// Most tokens of a sample, as requested or as the model allows.
    package let maxLength: Int
    package let notes: [String]

    /// - Throws: ``InputError`` if `--max-length` exceeds the positions, and for unusable files.
    package init(_ configuration: TrainingConfiguration, source: BERTShape) throws {
        let folder = URL(fileURLWithPath: configuration.model)
        words = try configuration.addTokens.map { try AddedWords(path: $0, folder: folder, rows: source.vocabulary) }
        tokenizer = try WordPieceTokenizer(folder: folder, rows: source.vocabulary, adding: words?.words ?? [])
        var (shape, notes) = (source, [String]())
        let count = tokenizer.vocabulary.count - (words?.words.count ?? 0)
        try source.checkVocabulary(count, model: configuration.model)
        if count < source.vocabulary {
            notes.append(
                "the vocabulary has \(count) tokens, the model's word table \(source.vocabulary) rows: the other "
                    + "rows are unused"
            )
        }
        // Rows beyond the vocabulary are used for the first added words.
        shape.vocabulary = max(source.vocabulary, tokenizer.vocabulary.count)
        if let words {
            let pieces = words.words.reduce(0) { $0 + $1.pieces.count }
            notes.append(
                "added words: \(words.words.count), of \(decimal(Double(pieces) / Double(words.words.count), 1)) "
                    + "tokens each on average before"
                    + (words.knownCount > 0
                        ? "; \(words.knownCount) of the file already are tokens or are duplicates" : ""))
        }
        maxLength = configuration.maxLength ?? min(TrainingConfiguration.usualMaxLength, source.positions)
        if maxLength < TrainingConfiguration.usualMaxLength, configuration.maxLength == nil {
            guard maxLength >= WordPieceTokenizer.shortestLength else {
                throw InputError(
                    "the model in \(configuration.model) has \(source.positions) positions, a sample needs at least "
                        + "\(WordPieceTokenizer.shortestLength): choose another model")
            }
            notes.append("--max-length is \(maxLength): the model has no more positions")
        }
        if configuration.extendPositions, maxLength <= source.positions {
            notes.append(
                "--extend-positions changes nothing: the model has \(source.positions) positions, --max-length is "
                    + "\(maxLength)")
        }
        if maxLength > source.positions {
            guard configuration.extendPositions else {
                throw InputError(
                    "--max-length is \(maxLength), the model in \(configuration.model) has \(source.positions) "
                        + "positions: lower it, or let --extend-positions repeat the position table")
            }
            shape.positions = maxLength
            notes.append("positions: \(source.positions) of the source, repeated up to \(shape.positions)")
        }
        self.shape = shape
        self.notes = notes
    }

    /// Initial values of the rows that the source lacks.
    package func begin(_ model: BERTModel, _ parameters: FloatBuffer, source: BERTShape) {
        model.setWords((words?.words ?? []).map { (row: Int($0.id), mean: $0.pieces) }, in: parameters)
        model.repeatPositions(beyond: source.positions, in: parameters)
    }
}

extension BERTShape {
    /// Refuses a vocabulary with ids beyond the word table. One with fewer is usual: the table is padded to a multiple
    /// of 8 or 64.
    package func checkVocabulary(_ count: Int, model: String) throws(InputError) {
        guard count > vocabulary else { return }
        throw InputError(
            "\(model): the vocabulary has \(count) tokens, config.json says \(vocabulary): is this the vocabulary of "
                + "this model?"
        )
    }
}
