import Foundation
import Testing

@testable import TextData

/// Tables, words and texts that come in blocks are those of the whole file.
@Suite struct LongFilesTests {
    private static let sizes = [1, 20, 100, 1_000, 1 << 20]

    private static let tables: [(dialect: TableDialect, text: String)] = [
        (.csv, "\u{FEFF}text,label\r\n\"a, \"\"b\"\"\r\nc\n\nd\",1\r\n  \"two\nlines\",0\nplain,1\n say \"c\",0\n"),
        (.csv, "text,label\n  \"spaces, and\nlines\",1\n\"\n\",0\n\"\"\"\",1\n\"\",0\r\n\n\"last\",1"),
        (.quotedTSV, "text\tlabel\n\"a\ttab\"\t1\n\"three\n\nlines\"\t0\r\nplain\t1\n\"x\"\t0\n"),
        (.semicolons, "text;label\n\"\n;\n;\n\";1\nb;0\n"),
        (.csv, "text,label\r\"a\rb\",1\r\nplain,0\rc,1\r\r\n\"d\",0\r\"e\",1\nf,0\r"),
        (.tsv, "text\tlabel\n\"a\t1\n\"\"b\t0\r\n\nc\"\t1\n"),
    ]

    private func rows(_ table: (dialect: TableDialect, text: String), least: Int) throws -> [[String]] {
        let folder = try TemporaryFolder(["a": table.text])
        let blocks = try TextBlocks(path: folder.path("a"), least: least)
        var rows = try DelimitedRows(try blocks.next() ?? [], blocks, table.dialect, path: "a")
        let choice = try ColumnChoice(ColumnNames(), in: rows.header, labels: .required, path: "a")
        var found: [[String]] = [rows.header]
        while let row = try rows.next(choice) { found.append([String(row.line), row.text] + (row.labels ?? [])) }
        return found
    }

    @Test(arguments: LongFilesTests.sizes)
    func `rows whose fields go on in the next block are whole`(least: Int) throws {
        for table in Self.tables {
            let whole = try rows(table, least: 1 << 20)
            #expect(whole.count >= 3)
            #expect(try rows(table, least: least) == whole)
        }
    }

    @Test(arguments: LongFilesTests.sizes)
    func `mistakes have their line in any block`(least: Int) throws {
        let good = "text,label\n" + String(repeating: "\"a\nb\",1\n", count: 40)
        let mistakes = [
            "\"open,1\nb,0\n", "\"a\" b,1\n", "a,b,c\nd,1\n", "a\n",
            String(repeating: "  \"never closed\nx,", count: 3) + "\n",
        ]
        for mistake in mistakes {
            let table = (dialect: TableDialect.csv, text: good + mistake + "c,1\n")
            let error = #expect(throws: DatasetError.self) { try rows(table, least: least) }
            let whole = #expect(throws: DatasetError.self) { try rows(table, least: 1 << 20) }
            #expect(error?.line == whole?.line && error?.problem == whole?.problem)
            #expect((error?.line ?? 0) > 81)
        }
    }

    @Test func `a field longer than a block is whole`() throws {
        let long = String(repeating: "a line, with a comma\n", count: 150_000)
        let folder = try TemporaryFolder(["a.csv": "text,label\nx,1\n\"\(long)\",0\ny,1\n"])
        let read = try Dataset(path: folder.path("a.csv"), labels: .required)
        #expect(read.texts == ["x", long, "y"])
        #expect(read.lines == [2, 3, 150_004])
    }

    /// Over two megabytes of rows.
    private static let filler = String(repeating: "w", count: 1_000)
    private static let many = 2_200

    @Test(arguments: ["a.csv", "a.tsv"])
    func `a long table is read as a short one`(name: String) throws {
        let comma = name.hasSuffix("csv") ? "," : "\t"
        let rows = (1...Self.many).map { "\($0) \(Self.filler)\(comma)l\($0 % 3)\r\n" }
        let folder = try TemporaryFolder([name: "text\(comma)label\r\n" + rows.joined()])
        let read = try Dataset(path: folder.path(name), labels: .required)
        let texts: [String] = (1...Self.many).map { "\($0) \(Self.filler)" }
        let labels: [[String]] = (1...Self.many).map { ["l\($0 % 3)"] }
        #expect(Array(read.texts) == texts)
        #expect(read.labels == labels)
        #expect(read.lines == Array(2...(Self.many + 1)))
        #expect(read.notes.isEmpty)
        var wrong = rows
        wrong[Self.many - 2] = "one field\r\n"
        let other = try TemporaryFolder([name: "text\(comma)label\r\n" + wrong.joined()])
        let error = #expect(throws: DatasetError.self) { try Dataset(path: other.path(name), labels: .required) }
        #expect(error?.line == Self.many)
    }

    @Test func `the quotes of a long table decide, wherever they are`() throws {
        let rows = (1...Self.many).map { "\($0) \(Self.filler)\tl\($0 % 3)\n" }
        let quoted = try TemporaryFolder(["a.tsv": "text\tlabel\n" + rows.joined() + "\"so \"\"good\"\"\"\tl1\n"])
        let fields = try Dataset(path: quoted.path("a.tsv"), labels: .required)
        #expect(fields.texts.last == "so \"good\"" && fields.notes.count == 1)
        let plain = try TemporaryFolder(["a.tsv": "text\tlabel\n" + rows.joined() + "so \"good\"\tl1\n"])
        let texts = try Dataset(path: plain.path("a.tsv"), labels: .required)
        #expect(texts.texts.last == "so \"good\"" && texts.notes.isEmpty)
    }

    @Test func `quotes are judged alike in blocks and whole`() throws {
        let random = Philox(key: 7)
        let parts = ["a", "\"", "\"\"", "\t", "\n", "\r\n", "\"x\"", "b\tc\n"]
        for number in 0..<300 {
            let text = (0..<1 + number % 24).map { place in
                parts[Int(random([UInt32(number), UInt32(place), 0, 0])[0]) % parts.count]
            }.joined()
            let folder = try TemporaryFolder(["a": text])
            let inBlocks = try TabQuotes(TextBlocks(path: folder.path("a"), least: 1))
            #expect(inBlocks == TabQuotes(Array(text.utf8)), "\(text.debugDescription)")
        }
    }

    @Test func `sentences and texts go on in the next block`() throws {
        let sentence = "# \(Self.filler) O\nEU B-ORG\nrejects O\n"
        // The word in the last sentence is known to be one by its tag, the comments by theirs.
        let folder = try TemporaryFolder([
            "a.conll": String(repeating: sentence + "\n", count: Self.many) + "# O\nrate O\n",
            "a.txt": String(repeating: Self.filler + "\r\n\n", count: Self.many) + "last",
        ])
        let words = try Dataset(path: folder.path("a.conll"), labels: .required)
        #expect(words.count == Self.many + 1)
        #expect(words.words?.first == ["EU", "rejects"] && words.words?.last == ["#", "rate"])
        #expect(words.lines.last == 4 * Self.many + 1)
        let texts = try Dataset(path: folder.path("a.txt"), labels: .unwanted, allowsPlainText: true)
        #expect(texts.count == Self.many + 1 && texts.texts.first == Self.filler && texts.texts.last == "last")
        #expect(texts.lines.last == 2 * Self.many + 1)
    }
}
