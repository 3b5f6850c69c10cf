import Foundation
import Testing

@testable import TextData

/// Against Hugging Face's tokenizer with the same words added: Tests/Fixtures/added-words.
@Suite struct AddedWordsTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../Fixtures/added-words")

    private struct Wanted: Decodable {
        let text: String
        let ids: [Int32]
    }

    private var wanted: [Wanted] {
        get throws {
            try String(contentsOf: Self.folder.appending(path: "tokens.jsonl"), encoding: .utf8).split(separator: "\n")
                .map {
                    try JSONDecoder().decode(Wanted.self, from: Data($0.utf8))
                }
        }
    }

    @Test func `added words are matched as Hugging Face matches them`() throws {
        let added = try AddedWords(path: Self.folder.appending(path: "words.txt").path, folder: Self.folder)
        let tokenizer = try WordPieceTokenizer(folder: Self.folder, adding: added.words)
        for line in try wanted { #expect(tokenizer.encode(line.text).ids == line.ids, "\(line.text)") }
    }

    @Test func `a length limit cuts them like other pieces`() throws {
        let added = try AddedWords(path: Self.folder.appending(path: "words.txt").path, folder: Self.folder)
        let tokenizer = try WordPieceTokenizer(folder: Self.folder, adding: added.words)
        for line in try wanted {
            for length in 3...8 {
                let cut = tokenizer.encode(line.text, maxLength: length)
                let pieces = Array(line.ids.dropLast().prefix(length - 1))
                #expect(cut.ids == pieces + line.ids.suffix(1))
                #expect(cut.truncated == (line.ids.count > length))
            }
        }
    }

    @Test func `words that are one piece already are left out, and none at all is refused`() throws {
        let scratch = try TemporaryFolder()
        let file = scratch.url.appending(path: "words.txt")
        try Data("fever\n\nCOVID-19\ncovid-19\n".utf8).write(to: file)
        let added = try AddedWords(path: file.path, folder: Self.folder)
        #expect(added.words.map(\.text) == ["COVID-19"])
        #expect(added.knownCount == 2)
        #expect(added.words[0].pieces.count > 1)
        try Data("fever\n".utf8).write(to: file)
        #expect(throws: DatasetError.self) { try AddedWords(path: file.path, folder: Self.folder) }
    }
}
