import Foundation
import Testing

@testable import TextData

/// Texts and sentences of which a tokenizer cuts off the beginning. Ids and words are those of Transformers 5.24.
@Suite struct CutTextsTests {
    private func tokenizer(_ configuration: String) throws -> WordPieceTokenizer {
        let folder = try TemporaryFolder([
            "vocab.txt": TokenizerFilesTests.vocabulary, "tokenizer_config.json": configuration,
        ])
        return try WordPieceTokenizer(folder: folder.url)
    }

    @Test(arguments: [
        (4, [2, 5, 7, 3], [4: 1]), (5, [2, 9, 5, 7, 3], [3: 1, 4: 2]), (6, [2, 7, 9, 5, 7, 3], [1: 1, 3: 2, 4: 3]),
        (7, [2, 7, 7, 9, 5, 7, 3], [1: 1, 3: 3, 4: 4]),
        (20, [2, 5, 5, 7, 7, 7, 9, 5, 7, 3], [0: 1, 1: 2, 3: 6, 4: 7]),
    ])
    func `a word that is partly cut off is answered at its first token that is left`(
        length: Int, ids: [Int32], firsts: [Int: Int32]
    ) throws {
        let tokenizer = try tokenizer(#"{"truncation_side": "left"}"#)
        let words = ["hello", "hellosss", "\u{AD}", "cafe", "hellos"]
        let found = tokenizer.encode(words: words, maxLength: length)
        #expect(found.encoding.ids == ids)
        #expect(found.firstPieces == firsts.sorted { $0.key < $1.key }.map { .init(word: $0.key, token: $0.value) })
        #expect(found.encoding.truncated == (length < 10))
    }

    @Test func `samples one after another keep their own beginnings`() throws {
        var scratch = WordPieceTokenizer.Scratch(try tokenizer(#"{"truncation_side": "left"}"#))
        var ids: [Int32] = []
        _ = scratch.append("hello cafe hellos", pair: nil, maxLength: 4, to: &ids)
        let shape = scratch.append("hello cafe", pair: "cafe hellos", maxLength: 6, to: &ids)
        #expect(ids == [2, 5, 7, 3] + [2, 9, 3, 5, 7, 3])
        #expect(shape.types == [0, 0, 0, 1, 1, 1] && shape.truncated)
    }

    @Test func `a side other than left and right is refused`() throws {
        let error = #expect(throws: TokenizerError.self) { try tokenizer(#"{"truncation_side": "middle"}"#) }
        #expect(error?.problem.hasPrefix("truncation_side is middle, expected left or right") == true)
    }

    @Test(
        arguments: [
            (#"{"tokenizer_class": "DistilBertTokenizerFast"}"#, 0), ("{}", 1),
            (#"{"model_input_names": ["input_ids", "attention_mask"]}"#, 0),
            (#"{"tokenizer_class": "DistilBertTokenizer", "model_input_names": ["input_ids", "token_type_ids"]}"#, 1),
        ] as [(String, UInt8)])
    func `a second text has the type that the model is given`(configuration: String, type: UInt8) throws {
        let encoding = try tokenizer(configuration).encode("hello", pair: "cafe")
        #expect(encoding.ids == [2, 5, 3, 9, 3] && encoding.types == [0, 0, 0, type, type])
    }
}
