internal import BERT
internal import Foundation
internal import Tensors
internal import TextData

/// How texts reach the encoder: the tokenizer with the words that it learns, and the sizes of the tables behind it.
struct InputLayer {
    let tokenizer: WordPieceTokenizer
    let words: AddedWords?
    /// The source's, with rows for the words and, where asked for, more positions.
    let shape: BERTShape
    /// Tokens of a sample at most, as asked for or as the model allows.
    let maxLength: Int
    let notes: [String]

    /// - Throws: ``InputError`` where `--max-length` is beyond the positions, and whatever the files are refused for.
    init(_ configuration: TrainingConfiguration, source: BERTShape) throws {
        let folder = URL(fileURLWithPath: configuration.model)
        words = try configuration.addTokens.map { try AddedWords(path: $0, folder: folder) }
        tokenizer = try WordPieceTokenizer(folder: folder, adding: words?.words ?? [])
        var (shape, notes) = (source, [String]())
        if let words {
            shape.vocabulary += words.words.count
            let pieces = words.words.reduce(0) { $0 + $1.pieces.count }
            notes.append(
                "added words: \(words.words.count), of \(decimal(Double(pieces) / Double(words.words.count), 1)) pieces on average until now"
                    + (words.knownCount > 0 ? "; \(words.knownCount) of the file are pieces already or stand there twice" : ""))
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
        if maxLength > source.positions {
            guard configuration.extendPositions else {
                throw InputError(
                    "--max-length is \(maxLength), the model in \(configuration.model) has \(source.positions) positions: "
                        + "lower it, or let --extend-positions repeat the position table")
            }
            shape.positions = maxLength
            notes.append("positions: \(source.positions) of the source, repeated up to \(shape.positions)")
        }
        self.shape = shape
        self.notes = notes
    }

    /// First values of the rows that the source does not have.
    func begin(_ model: BERTModel, _ parameters: FloatBuffer, source: BERTShape) {
        model.setWords((words?.words ?? []).map { (row: Int($0.id), mean: $0.pieces) }, in: parameters)
        model.repeatPositions(beyond: source.positions, in: parameters)
    }
}
