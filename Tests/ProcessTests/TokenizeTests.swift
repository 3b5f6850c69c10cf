import Foundation
import Testing

@Suite struct TokenizeTests {
    /// A model folder with a vocabulary of a few pieces.
    let folder: ScratchFolder

    init() throws {
        folder = try ScratchFolder()
        let pieces = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "world", "##s", "Caf", "##é", "caf", "##e",
        ]
        try Data(pieces.joined(separator: "\n").appending("\n").utf8).write(to: folder.url("vocab.txt"))
    }

    @Test func `each line is answered in order`() throws {
        let input = """
            {"text": "Hello worlds"}
            {"text": "hello", "pair": "world world", "max_length": 5, "lowercase": null}
            {"text": "Café", "lowercase": false, "pair": null, "unknown": [1, {"a": 2}]}
            {"lowercase": true, "text": "Caf\\u00e9"}
            """
        let run = try ApusProcess("tokenize", "--model", folder.path, input: input)
        #expect(run.complaint.isEmpty)
        #expect(run.status == 0)
        #expect(
            run.output == """
                {"ids": [2, 5, 6, 7, 3], "types": [0, 0, 0, 0, 0]}
                {"ids": [2, 5, 3, 6, 3], "types": [0, 0, 0, 1, 1]}
                {"ids": [2, 8, 9, 3], "types": [0, 0, 0, 0]}
                {"ids": [2, 10, 11, 3], "types": [0, 0, 0, 0]}

                """)
    }

    @Test func `a bad line is named and those before it are answered`() throws {
        let run = try ApusProcess("tokenize", "--model", folder.path, input: "{\"text\": \"hello\"}\n{\"text\": 3}\n")
        #expect(run.status == 2)
        #expect(run.output == "{\"ids\": [2, 5, 3], \"types\": [0, 0, 0]}\n")
        #expect(run.complaint.hasPrefix("apus: standard input, line 2: "))
    }

    @Test func `plain text is answered with the form that is read`() throws {
        let run = try ApusProcess("tokenize", "--model", folder.path, input: "a quiet film\n")
        #expect(run.status == 2)
        #expect(run.complaint.contains("standard input, line 1: is not a JSON object: write each text as {\"text\": "))
    }

    @Test func `a folder without a vocabulary is refused`() throws {
        let run = try ApusProcess("tokenize", "--model", "/nowhere/model")
        #expect(run.status == 2)
        #expect(run.complaint.hasPrefix("apus: /nowhere/model"))
    }

    /// The shell's `head` leaves long before the end.
    @Test func `a reader that leaves ends the program quietly`() throws {
        let lines = folder.url("lines.jsonl")
        try Data(String(repeating: "{\"text\": \"hello world\"}\n", count: 100_000).utf8).write(to: lines)
        let shell = Process()
        let complaint = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
            "-c", "{ \"$0\" tokenize --model \"$1\" < \"$2\"; echo status $? >&2; } | head -n 1 > /dev/null",
            ApusProcess.executable.path,
            folder.path, lines.path,
        ]
        shell.standardError = complaint
        try shell.run()
        let said = try complaint.fileHandleForReading.readToEnd() ?? Data()
        shell.waitUntilExit()
        #expect(String(decoding: said, as: UTF8.self) == "status 0\n")
    }
}
