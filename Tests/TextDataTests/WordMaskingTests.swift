import Testing

@testable import TextData

/// Which words a masked-LM task hides.
@Suite struct WordMaskingTests {
    /// Specials, then 95 tokens of which every fourth continues a word.
    private static let pieces =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (0..<95).map { $0 % 4 == 3 ? "##p\($0)" : "p\($0)" }

    private func masking(wholeWords: Bool = false, stream: UInt32 = 0, seed: UInt64 = 1) throws -> WordMasking {
        let vocabulary = try WordPieceTokenizer(TokenizerFiles(pieces: Self.pieces)).vocabulary
        return try #require(WordMasking(vocabulary, seed: seed, stream: stream, wholeWords: wholeWords))
    }

    private let sample: [Int32] = [2] + (0..<60).map { 5 + Int32($0 * 7 % 95) } + [3]

    @Test func `15 percent are asked for, of these 80 percent become a mask and 10 percent stay`() throws {
        let masking = try masking()
        var (tokens, asked, masked, same) = (0, 0, 0, 0)
        for position in 0..<2_000 {
            let result = masking.masked(sample[...], step: 3, position: UInt32(position))
            tokens += 60
            asked += result.tokens.count
            for (token, word) in zip(result.tokens, result.words) {
                #expect(sample[Int(token)] == word)
                if result.ids[Int(token)] == 4 { masked += 1 } else if result.ids[Int(token)] == word { same += 1 }
            }
            for place in sample.indices where !result.tokens.contains(Int32(place)) {
                #expect(result.ids[place] == sample[place])
            }
            #expect(result.ids.first == 2 && result.ids.last == 3)
            #expect(result.ids.allSatisfy { (0..<100).contains($0) })
        }
        // Ten standard deviations around the expected value.
        #expect(abs(Double(asked) / Double(tokens) - 0.15) < 0.0104)
        #expect(abs(Double(masked) / Double(asked) - 0.8) < 0.03)
        #expect(abs(Double(same) / Double(asked) - 0.101) < 0.03)
    }

    @Test func `a mask is a function of seed, stream, step and position`() throws {
        let first = try masking().masked(sample[...], step: 3, position: 7)
        #expect(try masking().masked(sample[...], step: 3, position: 7) == first)
        #expect(try masking().masked(([9, 9] + sample)[2...], step: 3, position: 7) == first)
        let others = [
            try masking(seed: 2).masked(sample[...], step: 3, position: 7),
            try masking(stream: 1).masked(sample[...], step: 3, position: 7),
            try masking().masked(sample[...], step: 4, position: 7),
            try masking().masked(sample[...], step: 3, position: 8),
        ]
        for other in others { #expect(other != first) }
        #expect(
            try masking(seed: 2).masked(sample[...], step: 0, position: 7)
                == masking().masked(sample[...], step: 0, position: 7))
    }

    @Test func `whole words are asked for with all their pieces`() throws {
        let masking = try masking(wholeWords: true)
        func continues(_ id: Int32) -> Bool { Self.pieces[Int(id)].hasPrefix("##") }
        var asked = 0
        for position in 0..<300 {
            let result = masking.masked(sample[...], step: 1, position: UInt32(position))
            asked += result.tokens.count
            for place in 2..<61 where continues(sample[place]) {
                #expect(result.tokens.contains(Int32(place)) == result.tokens.contains(Int32(place - 1)))
            }
        }
        #expect(asked > 1_500)
    }

    @Test(arguments: [false, true])
    func `of each sample at least one word is asked for, however short it is`(wholeWords: Bool) throws {
        let masking = try masking(wholeWords: wholeWords)
        let pair: [Int32] = [2, 7, 8, 3]
        #expect(Self.pieces[8] == "##p3")
        for position in 0..<200 {
            #expect(masking.masked([2, 9, 3], step: 1, position: UInt32(position)).tokens == [1])
            #expect(!masking.masked(pair[...], step: 1, position: UInt32(position)).tokens.isEmpty)
            if wholeWords { #expect(masking.masked(pair[...], step: 1, position: UInt32(position)).tokens == [1, 2]) }
            // Behind an unknown word, a continuation alone.
            #expect(masking.masked([2, 1, 8, 3], step: 1, position: UInt32(position)).tokens == [2])
            #expect(masking.masked([2, 1, 4, 3], step: 1, position: UInt32(position)).tokens.isEmpty)
        }
        #expect(masking.canAsk([2, 9, 3]) && !masking.canAsk([2, 1, 4, 3]) && !masking.canAsk([2, 3]))
    }

    @Test func `a text without a word that can be hidden is left out`() throws {
        let folder = try TemporaryFolder(["a.txt": "p0 p1\n?\np2\n"])
        let tokenizer = try WordPieceTokenizer(TokenizerFiles(pieces: Self.pieces))
        let rows = try Dataset(path: folder.path("a.txt"), labels: .unwanted, allowsPlainText: true)
        var samples = TokenizedDataset(
            rows, tokenizer: tokenizer, maxLength: 8, labels: .masked(try masking()), threads: 1)
        #expect(samples.count == 3)
        samples.removeSamplesWithoutHiddenTokens()
        #expect(samples.ids == [2, 5, 6, 3, 2, 7, 3] && samples.offsets == [0, 4, 7])
    }

    @Test func `without a mask token there is no masking`() throws {
        let vocabulary = try WordPieceTokenizer(TokenizerFiles(pieces: ["[UNK]", "[CLS]", "[SEP]", "a"])).vocabulary
        #expect(WordMasking(vocabulary, seed: 0, stream: 0, wholeWords: false) == nil)
    }
}

/// Sentences given word by word.
@Suite struct WordTokensTests {
    private func tokenizer() throws -> WordPieceTokenizer {
        try WordPieceTokenizer(TokenizerFiles(pieces: ["[UNK]", "[CLS]", "[SEP]", "a", "##a", "b", "-"]))
    }

    private func tokenized(_ words: [[String]], _ classes: [[Int32]], maxLength: Int, threads: Int = 1) throws
        -> TokenizedDataset
    {
        TokenizedDataset(
            words: words, tokenizer: try tokenizer(), maxLength: maxLength, wordClasses: classes, threads: threads)
    }

    @Test(arguments: [1, 2, 5])
    func `a word's class is that of its first piece`(threads: Int) throws {
        let samples = try tokenized(
            [["aa", "b", "b-a"], [], ["a", "\u{200B}", "b"]], [[7, 8, 9], [], [1, 2, 3]], maxLength: 20,
            threads: threads)
        #expect(samples.ids == [1, 3, 4, 5, 5, 6, 3, 2, 1, 2, 1, 3, 5, 2])
        guard case .tokens(let labels) = samples.labels else {
            Issue.record("no labels of words")
            return
        }
        // A word that leaves no piece has no place, and its class counts for nothing.
        #expect(labels.offsets == [0, 3, 3, 5])
        #expect(labels.tokens == [1, 3, 4, 1, 2])
        #expect(labels.classes == [7, 8, 9, 1, 3])
        #expect(samples.truncatedCount == 0)
    }

    @Test func `words beyond the length are left out with their classes`() throws {
        let samples = try tokenized(
            [["aa", "b", "aaa", "b"], ["a", "b", "a"]], [[7, 8, 9, 10], [1, 2, 3]], maxLength: 5)
        #expect(samples.ids == [1, 3, 4, 5, 2, 1, 3, 5, 3, 2])
        guard case .tokens(let labels) = samples.labels else { return }
        #expect(labels.classes == [7, 8, 1, 2, 3])
        #expect(samples.truncatedCount == 1)
        let cut = try tokenized([["b", "aaaa", "b"]], [[7, 8, 9]], maxLength: 5)
        #expect(cut.ids == [1, 5, 3, 4, 2])
        #expect(cut.truncatedCount == 1)
    }
}

/// A sample as shown to the model, and its targets.
private struct Masked: Equatable {
    var ids: [Int32]
    var tokens: [Int32] = []
    var words: [Int32] = []
}

extension WordMasking {
    fileprivate func masked(_ sample: ArraySlice<Int32>, step: Int, position: UInt32) -> Masked {
        var result = Masked(ids: Array(sample))
        forEachAsked(sample, step: step, position: position) { place, shown in
            result.tokens.append(Int32(place))
            result.words.append(sample[sample.startIndex + place])
            result.ids[place] = shown
        }
        return result
    }
}
