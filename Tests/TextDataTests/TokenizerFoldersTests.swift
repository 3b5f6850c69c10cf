import Foundation
import Testing

@testable import TextData

/// Folders whose tokenizer files say things in every way that they may, with the ids of Transformers' AutoTokenizer:
/// Fixtures/tokenizers/generate.py writes them.
@Suite struct TokenizerFoldersTests {
    private struct Head: Decodable {
        let vocabulary: [String]
        let texts: [String]
        let further: [Question]
    }

    private struct Question: Decodable {
        let text: String
        let pair: String?
        let length: Int?
    }

    private struct Answer: Decodable, Equatable {
        let ids: [Int32]
        let types: [UInt8]
    }

    private struct Case: Decodable {
        let files: [String: String]
        let ids: [[Int32]]
        let further: [Answer]
    }

    @Test func `each folder gives the ids of the reference`() throws {
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/tokenizers/folders.jsonl")
        let lines = try Data(contentsOf: fixture).split(separator: 0x0A)
        let head = try JSONDecoder().decode(Head.self, from: lines[0])
        #expect(lines.count > 60)
        let listed = try String(
            decoding: JSONSerialization.data(
                withJSONObject: Dictionary(uniqueKeysWithValues: head.vocabulary.enumerated().map { ($1, $0) })),
            as: UTF8.self)
        let text = head.vocabulary.map { $0 + "\n" }.joined()
        for line in lines.dropFirst() {
            let reference = try JSONDecoder().decode(Case.self, from: line)
            let folder = try TemporaryFolder(
                Dictionary(
                    uniqueKeysWithValues: reference.files.map { name, contents in
                        (name, contents.replacing("@VOCABULARY@", with: name == "vocab.txt" ? text : listed))
                    }))
            let tokenizer = try WordPieceTokenizer(folder: folder.url)
            for (text, ids) in zip(head.texts, reference.ids) {
                #expect(tokenizer.encode(text).ids == ids, "\(text.debugDescription) \(reference.files)")
            }
            for (question, answer) in zip(head.further, reference.further) {
                let found = tokenizer.encode(question.text, pair: question.pair, maxLength: question.length)
                #expect(
                    Answer(ids: found.ids, types: found.types) == answer, "\(question.text) \(reference.files)")
            }
        }
    }
}
