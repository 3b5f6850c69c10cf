import Foundation
import Testing

@testable import TextData

/// Ids made by Hugging Face Tokenizers over the vocabulary of all-MiniLM-L6-v2, which is fetched and not committed.
@Suite struct GoldenTokensTests {
    struct Line: Decodable {
        let text: String
        let pair: String?
        let max_length: Int?
        let lowercase: Bool
        let ids: [Int32]
        let types: [UInt8]
    }

    /// APUS_TEST_VOCAB, or the file in the cache folder.
    static let vocabulary: URL? = {
        func path(_ name: String) -> String? {
            ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        let cache = path("XDG_CACHE_HOME") ?? (path("HOME") ?? "") + "/.cache"
        let file = path("APUS_TEST_VOCAB") ?? cache + "/apus/models/all-MiniLM-L6-v2/vocab.txt"
        return FileManager.default.fileExists(atPath: file) ? URL(fileURLWithPath: file) : nil
    }()

    /// The committed lines, or those of the file that APUS_TEST_TOKENS names: reference_tokens.py makes others.
    static var lines: [Line] {
        get throws {
            let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("Fixtures/golden/tokens.jsonl")
            let file =
                ProcessInfo.processInfo.environment["APUS_TEST_TOKENS"].map { URL(fileURLWithPath: $0) } ?? fixture
            return try Data(contentsOf: file).split(separator: 0x0A).map {
                try JSONDecoder().decode(Line.self, from: $0)
            }
        }
    }

    @Test(.enabled(if: vocabulary != nil, "the vocabulary is not in the cache: scripts/test.sh fetches it"))
    func everyGoldenLineHasTheIdsOfTheReference() throws {
        let vocabulary = try #require(Self.vocabulary)
        let folder = try TemporaryFolder(["vocab.txt": Data(contentsOf: vocabulary)])
        let uncased = try WordPieceTokenizer(folder: folder.url)
        let cased = try WordPieceTokenizer(folder: folder.url, lowercase: false)
        let lines = try Self.lines
        #expect(lines.count > 100)
        for line in lines {
            let encoding = (line.lowercase ? uncased : cased).encode(
                line.text, pair: line.pair, maxLength: line.max_length)
            #expect(
                encoding.ids == line.ids,
                "\(line.text.debugDescription) \(line.pair.debugDescription) \(line.max_length ?? 0)")
            #expect(encoding.types == line.types)
        }
    }
}
