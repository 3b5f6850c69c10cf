import Foundation
import Testing

@testable import TextData

@Suite struct TokenizerFilesTests {
    static let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nHello\n##s\ncafé\ncafe\n"

    static func json(
        added: String = #"{"id":1,"content":"[UNK]"},{"id":6,"content":"<e>","special":true,"normalized":false}"#,
        normalizer: String =
            #"{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"#
            + #""lowercase":false}"#,
        model: String =
            #"{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"~","#
            + #""max_input_chars_per_word":6,"vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"Hello":4,"~s":5}}"#,
        processor: String = #"{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]}"#
    ) -> String {
        """
        {"version": "1.0", "truncation": null, "added_tokens": [\(added)], "normalizer": \(normalizer),
         "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": \(processor), "model": \(model)}
        """
    }

    /// The class that takes a tokenizer.json as it is.
    static let fast = #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#

    private func complaint(_ files: [String: Data]) throws -> String {
        let folder = try TemporaryFolder(files)
        let error = #expect(throws: TokenizerError.self) { try WordPieceTokenizer(folder: folder.url) }
        let message = error?.description ?? ""
        #expect(!message.contains("\n"))
        return message.replacingOccurrences(of: folder.url.path + "/", with: "").replacingOccurrences(
            of: folder.url.path, with: "folder")
    }

    private func complaint(_ files: [String: String]) throws -> String {
        try complaint(files.mapValues { Data($0.utf8) })
    }

    @Test func vocabularyLinesAreNumberedFromZero() throws {
        let folder = try TemporaryFolder(["vocab.txt": Self.vocabulary.replacingOccurrences(of: "\n", with: "\r\n")])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        #expect(tokenizer.vocabulary.count == 10)
        #expect(
            tokenizer.vocabulary.specials == .init(unknown: 1, classification: 2, separator: 3, padding: 0, mask: 4))
        #expect(tokenizer.encode("Hellos Café").ids == [2, 5, 7, 9, 3])
    }

    @Test func theConfigurationDecidesCaseAccentsAndTokens() throws {
        let configuration =
            #"{"do_lower_case": false, "strip_accents": true, "tokenize_chinese_chars": false,"#
            + #" "mask_token": {"content": "hello", "lstrip": true}, "x": [1, {}]}"#
        let folder = try TemporaryFolder(["vocab.txt": Self.vocabulary, "tokenizer_config.json": configuration])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        #expect(
            tokenizer.options == TextOptions(lowercase: false, stripAccents: true, tokenizeChineseCharacters: false))
        #expect(tokenizer.vocabulary.specials.mask == 5)
        #expect(tokenizer.encode("Hello café Hellohello").ids == [2, 6, 9, 6, 5, 3])
    }

    @Test(arguments: [
        "\"BertTokenizer\"", "\"BertTokenizerFast\"", "\"DistilBertTokenizerFast\"", "\"PreTrainedTokenizerFast\"",
        "null",
    ])
    func `a class that splits words as BERT does is taken`(name: String) throws {
        let folder = try TemporaryFolder([
            "vocab.txt": Self.vocabulary, "tokenizer_config.json": "{\"tokenizer_class\": \(name)}",
        ])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("hello").ids == [2, 5, 3])
    }

    @Test(arguments: ["BertJapaneseTokenizer", "RobertaTokenizerFast", "Fast"])
    func `another class is refused by its name`(name: String) throws {
        let message = try complaint([
            "vocab.txt": Self.vocabulary, "tokenizer_config.json": "{\"tokenizer_class\": \"\(name)\"}",
        ])
        #expect(
            message.contains("tokenizer_class is \(name), which splits words differently from BertTokenizer"),
            "\(message)")
    }

    @Test func askingForAnotherCaseWinsOverTheFolder() throws {
        let folder = try TemporaryFolder([
            "vocab.txt": Self.vocabulary, "tokenizer_config.json": #"{"do_lower_case":true,"strip_accents":true}"#,
        ])
        #expect(try WordPieceTokenizer(folder: folder.url, lowercase: false).encode("Hello café").ids == [2, 6, 8, 3])
    }

    @Test func `tokenizer json alone suffices, and the fast class takes all of it`() throws {
        let folder = try TemporaryFolder(["tokenizer.json": Self.json(), "tokenizer_config.json": Self.fast])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        #expect(tokenizer.vocabulary.pieces == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "Hello", "~s", "<e>"])
        #expect(tokenizer.options.lowercase == false && tokenizer.followsFile)
        #expect(tokenizer.encode("Hellos Hello<e> Hellosss").ids == [2, 4, 5, 4, 6, 1, 3])
    }

    @Test func `tokenizer json wins over the vocabulary and the class over tokenizer json`() throws {
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(), "vocab.txt": Self.vocabulary,
            "tokenizer_config.json": #"{"do_lower_case": true}"#,
        ])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        // With [MASK], which BertTokenizer adds unasked.
        #expect(tokenizer.vocabulary.pieces == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "Hello", "~s", "<e>", "[MASK]"])
        #expect(tokenizer.options.lowercase && !tokenizer.followsFile)
        #expect(tokenizer.vocabulary.specials.mask == nil)
        #expect(try WordPieceTokenizer(folder: folder.url, rows: 7).vocabulary.count == 7)
        #expect(try WordPieceTokenizer(folder: folder.url, rows: 5).vocabulary.count == 7)
    }

    @Test func `an id without a token stands for no text`() throws {
        let model =
            #"{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"#
            + #""Hello":5,"\u0023#s":7}}"#
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(added: "", model: model), "tokenizer_config.json": Self.fast,
        ])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        #expect(tokenizer.vocabulary.count == 8)
        #expect(tokenizer.encode(" Hellos\u{AD} x").ids == [2, 5, 7, 1, 3])
    }

    @Test func `without a normalizer the text stays as it is`() throws {
        let model =
            #"{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"É":3,"\u0007":4,"#
            + #""中国":5,"a":6}}"#
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(
                added: "", normalizer: "null", model: model,
                processor: #"{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}"#),
            "tokenizer_config.json": Self.fast,
        ])
        #expect(
            try WordPieceTokenizer(folder: folder.url).encode("É \u{7} 中国\u{B}a A é").ids
                == [1, 3, 4, 5, 6, 0, 0, 2])
    }

    @Test func `a file that puts other tokens around a text is refused`() throws {
        func template(_ single: String) -> String {
            "{\"type\":\"TemplateProcessing\",\"single\":[\(single)],\"special_tokens\":{"
                + #""Hello":{"id":"Hello","ids":[4],"tokens":["Hello"]},"[SEP]":{"ids":[3]},"two":{"ids":[4,4]}}}"#
        }
        let sequence = #"{"Sequence":{"id":"A","type_id":0}}"#
        let last = #"{"SpecialToken":{"id":"[SEP]","type_id":0}}"#
        let two = #"{"SpecialToken":{"id":"two","type_id":0}},"# + sequence + "," + last
        for processor in ["null", template(sequence), template(sequence + "," + last), template(two)] {
            let message = try complaint([
                "tokenizer.json": Self.json(processor: processor), "tokenizer_config.json": Self.fast,
            ])
            #expect(
                message.contains("its post_processor does not put [CLS] before and [SEP] after a text"), "\(message)")
            let folder = try TemporaryFolder(["tokenizer.json": Self.json(processor: processor)])
            #expect(try WordPieceTokenizer(folder: folder.url).encode("").ids == [2, 3])
        }
        let first = #"{"SpecialToken":{"id":"Hello","type_id":0}}"#
        let pair = first + "," + sequence + "," + last + #"],"pair":["# + first + "," + sequence
        let message = try complaint([
            "tokenizer.json": Self.json(processor: template(pair)), "tokenizer_config.json": Self.fast,
        ])
        #expect(
            message.contains("its post_processor does not put [SEP] between and after two texts: use a model"),
            "\(message)")
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(processor: template(first + "," + sequence + "," + last)),
            "tokenizer_config.json": Self.fast,
        ])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("").ids == [4, 3])
    }

    /// "He" is an added token of the raw text, and no piece: cleaning makes a word "He" that has none.
    @Test func noWordIsMadeOfATokenThatIsOnlyAdded() throws {
        let added = #"{"id":1,"content":"[UNK]"},{"id":6,"content":"He","normalized":false}"#
        let folder = try TemporaryFolder(["tokenizer.json": Self.json(added: added)])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("He H\u{FEFF}e").ids == [2, 6, 1, 3])
    }

    @Test func specialTokensWithoutAMeaningHereAreFoundToo() throws {
        let configuration =
            #"{"do_lower_case": true, "additional_special_tokens": ["Hello", {"content": "café"}, "[E1]"],"#
            + #" "extra_special_tokens": {}}"#
        let folder = try TemporaryFolder(["vocab.txt": Self.vocabulary, "tokenizer_config.json": configuration])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("hello Hellos xcafé").ids == [2, 5, 6, 1, 1, 8, 3])
    }

    @Test func piecesThatDifferOnlyInCompositionStayApart() throws {
        let model = #"{"type":"WordPiece","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"\u00e9":3,"e\u0301":4}}"#
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(
                added: "", model: model, processor: #"{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]}"#),
            "tokenizer_config.json": Self.fast,
        ])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("é e\u{301}").ids == [1, 3, 4, 2])
    }

    @Test(arguments: [
        ("", "vocab.txt: is empty, expected one token per line: copy the model's vocabulary again"),
        ("a\nb\n", "vocab.txt: [UNK] is not among the 2 tokens, a BERT tokenizer needs it: is this its vocabulary?"),
        (
            "[UNK]\n[SEP]\n",
            "vocab.txt: [CLS] is not among the 2 tokens, a BERT tokenizer needs it: is this its vocabulary?"
        ),
        (
            "[UNK]\n[CLS]\n\n\n",
            "vocab.txt: [SEP] is not among the 3 tokens, a BERT tokenizer needs it: is this its vocabulary?"
        ),
    ])
    func badVocabulariesAreRefused(contents: String, message: String) throws {
        #expect(try complaint(["vocab.txt": contents]) == message)
    }

    @Test func missingFilesAndInvalidUTF8AreRefused() throws {
        #expect(
            try complaint([String: String]())
                == "folder: has neither tokenizer.json nor vocab.txt: name a Hugging Face model folder that has one")
        #expect(
            try complaint(["vocab.txt": Data("[UNK]\n".utf8) + [0xC3, 0x0A]])
                == "vocab.txt: line 2 is not UTF-8: save the file as UTF-8")
        #expect(
            try complaint(["vocab.txt": Self.vocabulary, "tokenizer_config.json": #"{"do_lower_case": 1}"#])
                == "tokenizer_config.json: do_lower_case is 1, expected true, false or null, at byte 17: copy the "
                + "model's file again"
        )
    }

    @Test(arguments: [
        (#"{"type":"Lowercase"}"#, "Lowercase"), (#"{"type":"Sequence","normalizers":[{"type":"NFC"}]}"#, "NFC"),
        (#"{"type":"Sequence","normalizers":[{"type":"BertNormalizer"},{"type":"BertNormalizer"}]}"#, "Sequence"),
    ])
    func `a normalizer is refused where it counts`(normalizer: String, type: String) throws {
        let text = Self.json(normalizer: normalizer)
        let message = try complaint(["tokenizer.json": text, "tokenizer_config.json": Self.fast])
        #expect(message.contains("the normalizer is \(type), expected BertNormalizer, at byte "), "\(message)")
        #expect(message.hasSuffix(": use a model with BERT's own tokenizer"), "\(message)")
        #expect(throws: TokenizerError.self) { try WordPieceTokenizer(tokenizerJSON: Array(text.utf8)) }
        let folder = try TemporaryFolder(["tokenizer.json": text])
        #expect(try WordPieceTokenizer(folder: folder.url).encode("hello<e>").ids == [2, 1, 6, 3])
    }

    @Test func `sequences in sequences are read up to a depth`() throws {
        let deep = String(repeating: #"{"type":"Sequence","normalizers":["#, count: 100)
        #expect(try complaint(["tokenizer.json": Self.json(normalizer: deep)]).contains("nested over 64 deep"))
    }

    @Test func `a token without an unknown one is refused`() throws {
        #expect(
            try complaint(["vocab.txt": Self.vocabulary, "tokenizer_config.json": #"{"unk_token": null}"#])
                == "vocab.txt: its tokenizer has a null unk_token, expected one such as [UNK]: name one in "
                + "tokenizer_config.json")
    }

    @Test func `a token that only counts between words hides the tokens in it`() throws {
        let added =
            #"{"id":6,"content":"Hell","single_word":true,"normalized":false},"#
            + #"{"id":7,"content":"ell","normalized":false}"#
        let folder = try TemporaryFolder([
            "tokenizer.json": Self.json(added: added), "tokenizer_config.json": Self.fast,
        ])
        let tokenizer = try WordPieceTokenizer(folder: folder.url)
        #expect(tokenizer.encode("Hello Hell éHell Hell, Hell\u{301} ell").ids == [2, 4, 6, 1, 6, 1, 1, 7, 3])
    }

    @Test(arguments: [
        ("{", "the text ends, expected a \""),
        ("{}", "has no model.vocab"),
        (
            json(model: #"{"type":"WordPiece","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":90}}"#),
            "has 3 tokens and ids up to 90, most have no token"
        ),
        (json(added: #"{"id":-1,"content":"x"}"#), "id is -1, expected a whole number from 0"),
        (json(model: #"{"type":"BPE","vocab":{}}"#), "the model is BPE, expected WordPiece"),
        (json(model: #"{"type":"WordPiece","vocab":{"[UNK]":0,"b":0}}"#), "two tokens have the id 0"),
        (json(model: #"{"type":"WordPiece","max_input_chars_per_word":-1}"#), "max_input_chars_per_word is -1"),
        (#"{"x":"# + String(repeating: "[", count: 100), "values are nested over 64 deep"),
        (#"{"x":"\q"}"#, "\\q is not an escape of JSON"),
        (#"{"x":tru}"#, "\"tru\" is not a JSON value"),
        (#"{"x":1 "y":2}"#, "found a \", expected a ,"),
    ])
    func otherTokenizersAreRefusedByName(contents: String, problem: String) throws {
        let message = try complaint(["tokenizer.json": contents])
        #expect(message.hasPrefix("tokenizer.json: " + problem))
    }
}
