internal import BERT
internal import TextData

/// A tokenized text, with the tokens to answer for if the head answers for tokens.
struct Question: Sendable {
    let ids: [Int32]
    let types: [UInt8]
    /// Indices of the tokens to answer for, ascending.
    var asked: [Int32] = []
    /// The words whose first tokens get answers; a word without tokens or beyond the length has no answer.
    var words: [String] = []
    var answered: [Int] = []

    init(_ text: String, pair: String?, words given: [String]?, _ trained: TrainedModel) {
        guard case .tokenClassification = trained.model.head else {
            let encoding = trained.tokenizer.encode(text, pair: pair, maxLength: trained.maxLength)
            (ids, types) = (encoding.ids, encoding.types)
            if trained.model.head == .maskedLanguageModel {
                asked = ids.indices.filter { ids[$0] == trained.tokenizer.vocabulary.specials.mask }.map { Int32($0) }
            }
            return
        }
        words = given ?? text.split { $0.isWhitespace }.map(String.init)
        let (encoding, firsts) = trained.tokenizer.encode(words: words, maxLength: trained.maxLength)
        (ids, types) = (encoding.ids, encoding.types)
        asked = firsts.map(\.token)
        answered = firsts.map(\.word)
    }
}
