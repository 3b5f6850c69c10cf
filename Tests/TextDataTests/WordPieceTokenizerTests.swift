import Foundation
import Testing

@testable import TextData

@Suite struct WordPieceTokenizerTests {
    static let pieces =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        + [
            "hello", "world", "un", "##aff", "##able", "una", "##ff", "cafe", "café", "i", "ı", "a", "##a", "b",
            "strasse", "straße", "σ",
            "##σ", "你", "好", "中", "##中", "日", "ᄒ", "##ᅡ", "##ᆫ", "한",
            ",", ".", "!", "'", "#", "[", "]", "mask",
            "x",
            "##x", "½", "—",
            "HELLO", "Hello", "👍", "##〮", "##〯", "##\u{1B44}", "e", "##\u{301}", "$",
        ]

    private func tokenizer(_ options: TextOptions = TextOptions(), pieces: [String] = pieces) throws
        -> WordPieceTokenizer
    {
        var files = try TokenizerFiles(pieces: pieces)
        files.options = options
        return try WordPieceTokenizer(files)
    }

    /// The pieces of `text` between [CLS] and [SEP].
    private func split(_ text: String, _ options: TextOptions = TextOptions()) throws -> [String] {
        let tokenizer = try tokenizer(options)
        let encoding = tokenizer.encode(text)
        #expect(encoding.ids.first == 2)
        #expect(encoding.ids.last == 3)
        #expect(encoding.types == Array(repeating: 0, count: encoding.ids.count))
        return encoding.ids.dropFirst().dropLast().map { tokenizer.vocabulary.pieces[Int($0)] }
    }

    @Test func theLongestPieceIsTakenFirst() throws {
        #expect(try split("hello unaffable") == ["hello", "una", "##ff", "##able"])
    }

    @Test func aWordThatPiecesCannotCoverIsUnknownAsAWhole() throws {
        #expect(try split("unaffz hello") == ["[UNK]", "hello"])
        #expect(try split("un##able") == ["un", "#", "#", "[UNK]"])
    }

    @Test func emptyAndBlankTextsHaveSpecialTokensOnly() throws {
        #expect(try split("") == [])
        #expect(try split(" \t\r\n\u{A0}\u{3000}\u{2028}") == [])
    }

    @Test func punctuationStandsAlone() throws {
        #expect(try split("hello,world!' $a—a") == ["hello", ",", "world", "!", "'", "$", "a", "—", "a"])
    }

    @Test func controlCharactersVanishAndJoinTheirNeighbours() throws {
        #expect(
            try split("hel\u{0}lo wor\u{200B}ld\u{FFFD} he\u{AD}llo \u{7F}a\u{E000}") == [
                "hello", "world", "hello", "a",
            ])
        #expect(try split("a\u{85}a") == ["a", "##a"])
    }

    @Test func accentsAreStrippedWithLowercase() throws {
        #expect(try split("Café CAFE\u{301} İ ı") == ["cafe", "cafe", "i", "ı"])
        #expect(try split("Straße ΣΣ") == ["straße", "σ", "##σ"])
    }

    @Test func accentsStayWhereTheyAreAskedToStay() throws {
        #expect(try split("CAFÉ e\u{301}", TextOptions(stripAccents: false)) == ["café", "e", "##\u{301}"])
        #expect(try split("Hello HELLO café", TextOptions(lowercase: false)) == ["Hello", "HELLO", "café"])
        #expect(try split("Hello café", TextOptions(lowercase: false, stripAccents: true)) == ["Hello", "cafe"])
    }

    @Test func chineseCharactersAreWordsOfTheirOwnUnlessToldOtherwise() throws {
        #expect(try split("a你好a") == ["a", "你", "好", "a"])
        #expect(try split("中中", TextOptions(tokenizeChineseCharacters: false)) == ["中", "##中"])
    }

    @Test func hangulIsDecomposedWhereAccentsAreStripped() throws {
        #expect(try split("한") == ["ᄒ", "##ᅡ", "##ᆫ"])
        #expect(try split("한", TextOptions(stripAccents: false)) == ["한"])
    }

    @Test func marksThatStayAreInCanonicalOrder() throws {
        // Two spacing marks of class 224 keep their order; one of class 9 moves before them, but not past a letter.
        #expect(try split("a\u{302F}\u{334}\u{302E}") == ["a", "##〯", "##〮"])
        #expect(try split("a\u{302E}\u{1B44}") == ["a", "##᭄", "##〮"])
        #expect(try split("a\u{302E}x\u{1B44}") == ["a", "##〮", "##x", "##᭄"])
        #expect(try split("a\u{302E}\u{1B44}", TextOptions(stripAccents: false)) == ["a", "##〮", "##᭄"])
    }

    @Test func specialTokensAreFoundAnywhereAndOnlyAsTheyAreWritten() throws {
        #expect(try split("hello[MASK]world [CLS]") == ["hello", "[MASK]", "world", "[CLS]"])
        #expect(try split("[mask] [[MASK]]") == ["[", "mask", "]", "[", "[MASK]", "]"])
        #expect(try split("[MAS") == ["[", "[UNK]"])
    }

    @Test func wordsOfOverAHundredCharactersAreUnknown() throws {
        #expect(try split(String(repeating: "a", count: 100)).count == 100)
        #expect(try split(String(repeating: "a", count: 101)) == ["[UNK]"])
        #expect(try split(String(repeating: "á", count: 100)).count == 100)
        #expect(try split(String(repeating: "x", count: 1_000_000) + " a") == ["[UNK]", "a"])
    }

    @Test func pairsHaveTypesAndOneMoreSeparator() throws {
        let encoding = try tokenizer().encode("hello", pair: "world a")
        #expect(encoding == Encoding(ids: [2, 5, 3, 6, 16, 3], types: [0, 0, 0, 1, 1, 1], truncated: false))
        #expect(try tokenizer().encode("", pair: "").ids == [2, 3, 3])
    }

    @Test func aLongTextLosesItsEnd() throws {
        let tokenizer = try tokenizer()
        let text = "hello world a b hello"
        #expect(tokenizer.encode(text, maxLength: 7) == tokenizer.encode(text))
        #expect(
            tokenizer.encode(text, maxLength: 6)
                == Encoding(ids: [2, 5, 6, 16, 18, 3], types: [0, 0, 0, 0, 0, 0], truncated: true))
        #expect(tokenizer.encode("unaffable hello", maxLength: 4).ids == [2, 10, 11, 3])
        #expect(tokenizer.encode(text, maxLength: 3).ids == [2, 5, 3])
    }

    @Test func onlyTheBeginningOfAMegabyteIsRead() throws {
        let encoding = try tokenizer().encode(String(repeating: "hello ", count: 1 << 20), maxLength: 128)
        #expect(encoding.ids == [2] + Array(repeating: 5, count: 126) + [3])
        #expect(encoding.truncated)
    }

    /// Removes one piece after another from the longer text, and evens out as the reference does.
    @Test func ofTwoTextsTheLongerIsCutFirst() throws {
        let tokenizer = try tokenizer()
        for first in 0...12 {
            for second in 0...12 {
                for maxLength in 3...20 {
                    let room = maxLength - 3
                    let kept = PairTruncation.keep(first, second, room: room)
                    #expect(kept.first + kept.second == min(room, first + second))
                    #expect(kept.first == first || kept.second == second || abs(kept.first - kept.second) <= 1)
                    let encoding = tokenizer.encode(
                        String(repeating: "a ", count: first), pair: String(repeating: "b ", count: second),
                        maxLength: maxLength)
                    let a = Array(repeating: 16 as Int32, count: kept.first)
                    let b = Array(repeating: 18 as Int32, count: kept.second)
                    #expect(encoding.ids == [2] + a + [3] + b + [3])
                    #expect(encoding.truncated == (first + second > room))
                }
            }
        }
        #expect(PairTruncation.keep(9, 8, room: 5) == (3, 2))
        #expect(PairTruncation.keep(8, 8, room: 5) == (2, 3))
    }

    @Test func theLaterOfTwoEqualPiecesIsMeant() throws {
        #expect(try tokenizer(pieces: Self.pieces + ["hello"]).encode("hello").ids == [2, Int32(Self.pieces.count), 3])
    }

    @Test func aVocabularyWithoutContinuationsLeavesOnlyWholeWords() throws {
        let tokenizer = try tokenizer(pieces: ["[UNK]", "[CLS]", "[SEP]", "a"])
        #expect(tokenizer.encode("a aa").ids == [1, 3, 0, 2])
        #expect(tokenizer.vocabulary.specials.mask == nil)
    }

    @Test func emojiAndFractionsAreOrdinaryCharacters() throws {
        #expect(try split("👍half½") == ["[UNK]"])
        #expect(try split("👍 ½") == ["👍", "½"])
    }
}
