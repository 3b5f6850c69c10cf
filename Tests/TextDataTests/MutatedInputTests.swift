import Foundation
import Testing

@testable import TextData

/// Files with bytes changed, cut out or doubled at places drawn from a fixed seed: each is read or refused, never
/// trapped on.
@Suite struct MutatedInputTests {
    private func mutated(_ bytes: [UInt8], _ seed: Int) -> [UInt8] {
        let random = Philox(key: UInt64(seed))
        var bytes = bytes
        for change in 0..<UInt32(1 + seed % 4) {
            let draw = random([change, 0, 0, 0])
            guard !bytes.isEmpty else { break }
            let start = Int(draw[0]) % bytes.count
            let end = min(bytes.count, start + Int(draw[1] % 9))
            switch draw[2] % 4 {
            case 0: bytes[start] = UInt8(truncatingIfNeeded: draw[3])
            case 1: bytes[start] = Array("\"\\\n\r\t,{}[]:u0".utf8)[Int(draw[3] % 14) % 13]
            case 2: bytes.removeSubrange(start..<end)
            default: bytes.insert(contentsOf: bytes[start..<end], at: start)
            }
        }
        return bytes
    }

    @Test(arguments: [
        ("a.tsv", "text\tpair\tlabel\na \"b\"\tc\t1\nd\te\t0\n"),
        ("a.csv", "text,label,pair\r\n\"a, \"\"b\"\"\r\nc\",1,d\r\ne,0,\"\"\r\n"),
        (
            "a.json",
            "[{\"text\": \"a\", \"pair\": \"\", \"label\": 1},\n{\"pair\":\"é\",\"label\":\"b\",\"text\":\"\"}]"
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\\u00e9\\ud83d\\ude00\\n\", \"label\": 1, \"pair\": \"x\", \"m\": [1, {\"y\": "
                + "null}]}\n{\"label\":\"b\",\"text\":\"\",\"pair\":\"é\"}\n"
        ),
    ])
    func dataFiles(name: String, contents: String) throws {
        let folder = try TemporaryFolder([String: String]())
        var (read, refused) = (0, 0)
        for seed in 0..<1500 {
            try Data(mutated(Array(contents.utf8), seed)).write(to: folder.url.appendingPathComponent(name))
            do {
                let dataset = try Dataset(
                    path: folder.path(name), columns: ColumnNames(pair: "pair"), labels: .required)
                #expect(dataset.labels?.count == dataset.count)
                #expect(dataset.pairs?.count == dataset.count)
                #expect(dataset.lines == dataset.lines.sorted())
                read += 1
            } catch {
                #expect(!error.problem.isEmpty)
                refused += 1
            }
        }
        #expect(read > 40)
        #expect(refused > 100)
    }

    @Test func tokenizerFiles() throws {
        let folder = try TemporaryFolder([String: String]())
        var (read, refused) = (0, 0)
        for seed in 0..<600 {
            let contents = mutated(Array(TokenizerFilesTests.json().utf8), seed)
            try Data(contents).write(to: folder.url.appendingPathComponent("tokenizer.json"))
            do {
                let encoding = try WordPieceTokenizer(folder: folder.url).encode(
                    "Hello world<e> é", pair: "x", maxLength: 7)
                #expect(encoding.ids.count <= 7)
                read += 1
            } catch {
                #expect(!error.problem.isEmpty)
                refused += 1
            }
        }
        #expect(read > 40)
        #expect(refused > 100)
    }
}
