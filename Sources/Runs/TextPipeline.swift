internal import BERT
internal import Checkpoints
internal import Configuration
internal import Files
internal import Inputs
internal import TextData

/// How texts become tokens, and what a trained model says of it.
struct TextPipeline: Sendable {
    /// The tokenizer with added words, and the sizes of the embedding tables.
    let layer: InputLayer
    /// The required contents of the trained model's tokenizer_config.json.
    let settings: JSONValue
    /// All that the tokenizer adds to its vocabulary.
    let addedTokens: [ModelExport.AddedToken]

    init(_ configuration: TrainingConfiguration, _ source: SourceFolder) throws {
        layer = try InputLayer(configuration, source: source.configuration.shape)
        let tokenizer = layer.tokenizer
        settings = Self.settings(of: tokenizer)
        addedTokens = tokenizer.addedTokens.map {
            .init($0.text, id: $0.id, isNormalized: $0.isNormalized, isSingleWord: $0.isSingleWord)
        }
        if let words = layer.words?.words, !words.isEmpty {
            // Before any work, not at the first export.
            try ModelExport.check(
                tokenizerFolder: configuration.model, tokenizerSettings: settings,
                words: words.map { ($0.text, Int($0.id)) },
                among: addedTokens)
        }
    }

    private static func settings(of tokenizer: WordPieceTokenizer) -> JSONValue {
        let (options, vocabulary) = (tokenizer.options, tokenizer.vocabulary)
        let types = tokenizer.givesTypes ? ["token_type_ids"] : []
        let inputs = JSONValue.Member(
            "model_input_names", .array((["input_ids"] + types + ["attention_mask"]).map { .string($0) }))
        // The file is complete, and a token named in addition would be added to it. Versions of Transformers differ in
        // the inputs of this class.
        if tokenizer.followsFile {
            return .object([.init("tokenizer_class", .string("PreTrainedTokenizerFast")), inputs])
        }
        let specials = vocabulary.specials
        var members: [JSONValue.Member] = [
            .init("tokenizer_class", .string("BertTokenizer")), .init("do_lower_case", .bool(options.lowercase)),
            .init("strip_accents", options.stripAccents.map { .bool($0) } ?? .null),
            .init("tokenize_chinese_chars", .bool(options.tokenizeChineseCharacters)),
        ]
        let tokens = [
            ("unk_token", specials.unknown), ("sep_token", specials.separator), ("pad_token", specials.padding),
            ("cls_token", specials.classification), ("mask_token", specials.mask),
        ]
        if !tokenizer.givesTypes { members.append(inputs) }
        // An added token may share an id with another one if vocab.txt has a token twice.
        let added = Dictionary(tokenizer.addedTokens.map { (Int32($0.id), $0.text) }) { first, _ in first }
        for case (let key, let id?) in tokens {
            members.append(.init(key, .string(added[id] ?? vocabulary.pieces[Int(id)])))
        }
        return .object(members)
    }
}
