import Foundation
import Testing

@testable import TextData

@Suite struct TokenLinesTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder(["vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n"])
    }

    /// The answers to `input` when it comes in pieces of `size` bytes.
    func answers(_ input: String, size: Int) throws -> String {
        var lines = try TokenLines(folder: folder.url)
        var output: [UInt8] = []
        let bytes = Array(input.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            try lines.answer(Array(bytes[start..<min(start + size, bytes.count)]), to: &output)
        }
        try lines.finish(to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `answers do not depend on where chunks end`() throws {
        let input = "{\"text\": \"hello wörld\"}\n{\"text\": \"worlds\", \"pair\": \"hello\"}\n{\"text\": \"\"}"
        let whole = try answers(input, size: input.utf8.count)
        #expect(whole.split(separator: "\n").count == 3)
        for size in 1..<input.utf8.count { #expect(try answers(input, size: size) == whole) }
    }

    @Test(arguments: [
        ("{\"text\": \"a\"}\n\n", 2, "ends"), ("{\"pair\": \"a\"}\n", 1, "\"text\" is missing"), ("[1]\n", 1, "{"),
        ("{\"text\": \"a\"} x\n", 1, "follows"), ("{\"text\": \"a\", \"max_length\": 1}\n", 1, "max_length is 1"),
        ("{\"text\": \"a\", \"pair\": \"b\", \"max_length\": 2}\n", 1, "max_length is 2, a pair needs at least 3"),
        ("{\"text\": \"a\", \"lowercase\": 1}\n", 1, "lowercase is 1"),
        ("{\"text\": \"a\", \"pair\": 1}\n", 1, "expected"),
        ("{\"text\": null}\n", 1, "expected"), ("{\"text\": \"a", 1, "closing quote"),
    ])
    func `a bad line is named`(input: String, line: Int, words: String) throws {
        let error = #expect(throws: DatasetError.self) { try answers(input, size: 7) }
        #expect(error?.line == line)
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
    }

    @Test func `a text may be cut to its special tokens`() throws {
        let input =
            "{\"text\": \"hello world\", \"max_length\": 2}\n{\"text\": \"hello\", \"pair\": \"world\", "
            + "\"max_length\": 3}\n"
        #expect(
            try answers(input, size: 9)
                == "{\"ids\": [2, 3], \"types\": [0, 0]}\n{\"ids\": [2, 3, 3], \"types\": [0, 0, 1]}\n")
    }

    @Test func `bytes that are not UTF-8 are refused`() throws {
        var lines = try TokenLines(folder: folder.url)
        var output: [UInt8] = []
        let error = #expect(throws: DatasetError.self) {
            try lines.answer(Array("{\"text\": \"".utf8) + [0xFF, 0x22, 0x7D, 0x0A], to: &output)
        }
        #expect(error?.problem == "the line is not UTF-8, at byte 11")
        #expect(output.isEmpty)
    }
}
