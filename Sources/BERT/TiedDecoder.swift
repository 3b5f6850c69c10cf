internal import Checkpoints
internal import Files

/// The decoder of a masked-LM head as a folder may hold it. In Apus it is the table of words.
enum TiedDecoder {
    static let weight = "cls.predictions.decoder.weight"
    static let bias = "cls.predictions.decoder.bias"
    /// The name of the bias if it is not the decoder's own. Transformers adds the decoder's if a folder has both.
    static let headBias = "cls.predictions.bias"

    /// Refuses a folder whose decoder differs from its table of words.
    ///
    /// Transformers then uses the decoder, whatever tie_word_embeddings in config.json is.
    /// - Parameters:
    ///   - words: the folder's table of words.
    ///   - table: its values.
    /// - Complexity: O(V D) time and memory if the folder has a decoder.
    static func check(_ folder: ModelFolder, words: TensorEntry, _ table: Span<Float>) throws(FileError) {
        guard let decoder = folder.tensor(weight) else { return }
        var isTied = decoder.shape == words.shape
        if isTied {
            var values = [Float](repeating: 0, count: decoder.count)
            var span = values.mutableSpan
            try folder.readFloats(weight, into: &span)
            isTied = values.indices.allSatisfy { values[$0] == table[$0] }
        }
        guard !isTied else { return }
        throw FileError(
            folder.path,
            "tensor \(weight) differs from \(words.name), expected equal ones, because Apus ties a masked-LM head to "
                + "the word embeddings: choose a model with a tied head, or remove the tensor to begin with a tied one")
    }
}
