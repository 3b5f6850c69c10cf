import Foundation
import Testing

@testable import TextData

@Suite struct TokenizedDatasetTests {
    private func tokenizer() throws -> WordPieceTokenizer {
        try WordPieceTokenizer(TokenizerFiles(pieces: ["[UNK]", "[CLS]", "[SEP]", "a", "##a", "b"]))
    }

    private func dataset(_ contents: String, labels: LabelNeed = .unwanted) throws -> Dataset {
        let folder = try TemporaryFolder(["a.tsv": contents])
        return try Dataset(path: folder.path("a.tsv"), labels: labels)
    }

    @Test func samplesFollowOneAnotherWithoutGaps() throws {
        let samples = try TokenizedDataset(
            dataset("text\na b\n\naaaa a\n"), tokenizer: tokenizer(), maxLength: 5, labels: .classes([1, 0, 1]),
            threads: 1)
        #expect(samples.ids == [1, 3, 5, 2, 1, 2, 1, 3, 4, 4, 2])
        #expect(samples.offsets == [0, 4, 6, 11])
        #expect(samples.types == nil)
        #expect(samples.lengths == [4, 2, 5])
        #expect(samples.truncatedCount == 1)
        #expect(samples.longest == 5)
        #expect(samples.wholeLengths == [4, 2, 7])
        #expect(samples.labels == .classes([1, 0, 1]))
    }

    @Test func pairsHaveATypeForEachID() throws {
        let samples = try TokenizedDataset(
            dataset("text1\ttext2\na\tb b\nb\ta\n"), tokenizer: tokenizer(), maxLength: 9, labels: .none, threads: 2)
        #expect(samples.ids == [1, 3, 2, 5, 5, 2, 1, 5, 2, 3, 2])
        #expect(samples.types == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1])
    }

    @Test(arguments: [2, 3, 7, 64])
    func theNumberOfThreadsChangesNothing(threads: Int) throws {
        let rows = (0..<50).map { String(repeating: "a b ", count: $0 % 7) + "\n" }.joined()
        let dataset = try dataset("text\n" + rows)
        let one = try TokenizedDataset(dataset, tokenizer: tokenizer(), maxLength: 8, labels: .none, threads: 1)
        let several = try TokenizedDataset(
            dataset, tokenizer: tokenizer(), maxLength: 8, labels: .none, threads: threads)
        #expect(one.count == 50)
        #expect(several.ids == one.ids)
        #expect(several.offsets == one.offsets)
        #expect(several.truncatedCount == one.truncatedCount)
    }

    @Test func `samples of many parts are in order, whoever made them`() throws {
        let texts = (0..<20_000).map { String(repeating: "a b ", count: $0 % 5) }
        let dataset = try dataset("text\n" + texts.map { $0 + "\n" }.joined())
        let one = try TokenizedDataset(dataset, tokenizer: tokenizer(), maxLength: 8, labels: .none, threads: 1)
        let three = try TokenizedDataset(dataset, tokenizer: tokenizer(), maxLength: 8, labels: .none, threads: 3)
        let lengths: [Int32] = (0..<20_000).map { 2 + 2 * Int32($0 % 5) }
        #expect(one.lengths == lengths.map { min(8, $0) })
        #expect(one.wholeLengths == lengths)
        #expect(three == one)
    }

    @Test func `words of many parts keep their classes`() throws {
        let words: [[String]] = (0..<9_000).map { row in (0..<(row % 4)).map { $0 == 0 ? "aa" : "b" } }
        let classes: [[Int32]] = words.enumerated().map { row, words in words.indices.map { Int32((row + $0) % 5) } }
        func samples(threads: Int) throws -> TokenizedDataset {
            try TokenizedDataset(
                words: words, tokenizer: tokenizer(), maxLength: 9, wordClasses: classes, threads: threads)
        }
        let one = try samples(threads: 1)
        guard case .tokens(let tokens) = one.labels else { throw TokenizerError(path: "", problem: "no tokens") }
        #expect(tokens.classes == Array(classes.joined()))
        #expect(try samples(threads: 4) == one)
    }
}
