import Foundation
import Testing

@testable import TextData

/// How a file is read, by its name and its first lines.
@Suite struct DataFormatTests {
    private func read(
        _ name: String, _ contents: String, format: DataFormat? = nil, columns: ColumnNames = ColumnNames(),
        plain: Bool = false
    ) throws -> Dataset {
        let folder = try TemporaryFolder([name: contents])
        defer { withExtendedLifetime(folder) {} }
        return try Dataset(
            path: folder.path(name), format: format, columns: columns, labels: plain ? .unwanted : .required,
            allowsPlainText: plain)
    }

    private static let quoted = "text\tlabel\n\"he said \"\"great film\"\"\"\t1\n\"the \"\"bad\"\" film\"\t0\n"

    @Test func `TSV with quotes, as pandas and datasets write it, is read as the same table in CSV`() throws {
        let tabs = try read("a.tsv", Self.quoted)
        #expect(tabs.texts == ["he said \"great film\"", "the \"bad\" film"])
        #expect(tabs.texts == (try read("a.csv", Self.quoted.replacing("\t", with: ","))).texts)
        #expect(tabs.notes.count == 1)
        let all = try read("a.tsv", "\"text\"\t\"label\"\n\"good\"\t\"1\"\n\"bad\"\t\"0\"\n")
        #expect(all.texts == ["good", "bad"] && all.labels == [["1"], ["0"]] && all.notes.count == 1)
        let long = try read("a.tsv", "text\tlabel\n\"two\nlines\"\t1\n\"a\ttab\"\t0\n")
        #expect(long.texts == ["two\nlines", "a\ttab"])
    }

    @Test func `a format that was asked for is the one that is read`() throws {
        #expect(try read("a.tsv", Self.quoted, format: .tsv).texts[0] == "\"he said \"\"great film\"\"\"")
        #expect(try read("a.tsv", "text\tlabel\n\"good\"\t1\n", format: .quotedTSV).texts == ["good"])
        #expect(try read("a.tsv", Self.quoted, format: .quotedTSV).notes.isEmpty)
        #expect(try read("a.csv", "text;label\na;1\n", format: .semicolons).labels == [["1"]])
        #expect(try read("a.dat", "one\ntwo\n", format: .text, plain: true).count == 2)
    }

    @Test(arguments: [
        "text\tlabel\n\"so\" good\t1\n\"bad\t0\n",
        "text\tlabel\na \"b\" c\t1\n\"x\"\t0\n",
        "text\tlabel\n\"hello there\t1\nbye, he said\"\t0\n",
        "text\tlabel\n\"hello there\t1\n\"bye\"\t0\n",
        "text\tlabel\n\"one\t1\nmiddle\t0\ntwo\"\t0\n",
    ])
    func `quotes of GLUE's kind are text, without a word`(contents: String) throws {
        let dataset = try read("a.tsv", contents)
        #expect(dataset.texts.joined().contains("\""))
        #expect(dataset.notes.isEmpty)
        #expect(dataset.lines.count == contents.split(separator: "\n").count - 1)
    }

    @Test func `quotes that may be meant either way are text, and that is said`() throws {
        let dataset = try read("a.tsv", "text\tlabel\n\"good\"\t1\nbad\t0\n")
        #expect(dataset.texts == ["\"good\"", "bad"])
        #expect(dataset.notes.count == 1)
        #expect(dataset.notes[0].contains("quoted-tsv"))
    }

    @Test func `semicolons, carriage returns and tabs are found in a file that is named csv`() throws {
        for contents in [
            "text;label\ngood;1\nbad;0\n", "text,label\rgood,1\rbad,0\r", "text\tlabel\ngood\t1\nbad\t0\n",
        ] {
            let dataset = try read("a.csv", contents)
            #expect(dataset.texts == ["good", "bad"] && dataset.labels == [["1"], ["0"]])
            #expect(dataset.notes.count == 1)
        }
        let commas = try read("a.tsv", "text,label\ngood,1\nbad,0\n")
        #expect(commas.texts == ["good", "bad"] && commas.notes.count == 1)
    }

    @Test func `a space after a comma is no part of names, labels and quoted fields`() throws {
        let dataset = try read("a.csv", "text, label\ngood, 1\n\"a, b\", 0\n \"c, d\", \"1\"\n")
        #expect(dataset.labels == [["1"], ["0"], ["1"]])
        #expect(dataset.texts.count == 3)
        #expect(try read("a.csv", "label, text\n1, \"a, b\"\n0, say \"c\"\n").texts == ["a, b", " say \"c\""])
        #expect(try read("a.tsv", "text\tlabel \nx\t pos\ny\tpos\n").labels == [["pos"], ["pos"]])
    }

    @Test(arguments: ["a.dat", "a.txt", "table", "a.bio"])
    func `where the ending says nothing the first lines do`(name: String) throws {
        let isWords = name == "a.bio"
        if !isWords {
            #expect(try read(name, "text\tlabel\ngood\t1\n").texts == ["good"])
            #expect(try read(name, "label,text\n1,good\n").texts == ["good"])
            #expect(try read(name, "body;label\ngood;1\n", columns: ColumnNames(text: "body")).texts == ["good"])
            #expect(try read(name, #"{"text": "good", "label": 1}"# + "\n").texts == ["good"])
            #expect(throws: DatasetError.self) { try read(name, "some words\nmore words\n") }
        }
        #expect(try read(name, "the O\nfilm B-WORK\n\nloved O\n").words == [["the", "film"], ["loved"]])
        #expect(try read("a.txt", "{\"text\"\nlabel,text\n", plain: true).texts == ["{\"text\"", "label,text"])
    }

    @Test func `words with tags in a file that is named tsv are words`() throws {
        let found = try read("a.tsv", "the\tO\nfilm\tB-WORK\n\nloved\tO\n")
        #expect(found.words == [["the", "film"], ["loved"]] && found.notes.count == 1)
        #expect(try read("a.tsv", "text\tlabel\nthe\tO\nfilm\tB-X\n").labels == [["O"], ["B-X"]])
    }

    @Test(arguments: [
        ("text|label\ngood|1\n", "vertical bars separate the fields"),
        ("# a table\ntext,label\ngood,1\n", "is a comment"),
        ("sep=;\ntext;label\ngood;1\n", "tells a spreadsheet the separator"),
        ("'text','label'\n'good','1'\n", "have single quotes"), ("text~label\ngood~1\n", "\"~\" separates the fields"),
        ("text  label\ngood  1\n", "spaces separate the fields"),
        ("Text^Label\ngood^1\n", "\"^\" separates the fields"),
    ])
    func `a first line that names no columns is called what it is`(contents: String, part: String) {
        let error = #expect(throws: DatasetError.self) { try read("a.csv", contents) }
        #expect(error?.problem.contains(part) == true, "\(error?.problem ?? "")")
    }

    @Test(
        arguments: [
            ([0x1F, 0x8B, 8, 0], "gunzip"), ([0x50, 0x4B, 3, 4, 0xFF], "spreadsheet"),
            ([0xFF, 0xFE, 0x74, 0], "UTF-16"), (Array("text,label".utf8).flatMap { [$0, 0] }, "UTF-16"),
            (Array("text,label".utf8).flatMap { [0, $0] }, "UTF-16"), (Array("SQLite format 3".utf8) + [0], "SQLite"),
            (Array("ARROW1".utf8) + [0, 0], "Arrow"),
            (Array("PAR1".utf8) + [0x15, 0x80], "Parquet"), ([0x74, 0xFF], "line 1 is not UTF-8"),
        ] as [([UInt8], String)])
    func `a file that is not text is called what it is`(bytes: [UInt8], part: String) {
        let failure = #expect(throws: TextFile.Failure.self) { try TextFile(bytes) }
        #expect(failure?.problem.contains(part) == true, "\(failure?.problem ?? "")")
    }

    @Test func `null is called null`() throws {
        for contents in [
            #"{"text":null,"label":0}"#, #"{"text":"x","label":null}"#, #"{"text":["a",null],"label":["O","O"]}"#,
        ] {
            let error = #expect(throws: DatasetError.self) { try read("a.jsonl", contents) }
            #expect(error?.problem.contains("is null") == true)
        }
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity"])
    func `numbers that JSON does not have are called what they are, and pass where nothing is read`(literal: String)
        throws
    {
        for contents in [
            "{\"text\":\"x\",\"label\":\(literal)}\n", "{\"text\":\(literal),\"label\":0}\n",
            "[{\"text\":\"x\",\"label\":0},{\"text\":\"y\",\"label\":\(literal)}]",
        ] {
            let error = #expect(throws: DatasetError.self) { try read("a.jsonl", contents) }
            #expect(error?.problem.contains("is \(literal): write the") == true, "\(error?.problem ?? "")")
        }
        #expect(try read("a.jsonl", "{\"text\":\"x\",\"n\":[\(literal)],\"label\":0}\n").labels == [["0"]])
    }

    @Test func `values as Python prints them are named with what JSON has`() {
        for (contents, part) in [
            ("{\"text\":\"x\",\"label\":None}\n", "\"None\" is not a JSON value: write null"),
            ("{\"text\":\"x\",\"label\":True}\n", "\"True\" is not a JSON value: write true"),
            ("{'text':'x','label':'a'}\n", "write double quotes"),
        ] {
            let error = #expect(throws: DatasetError.self) { try read("a.jsonl", contents) }
            #expect(error?.problem.contains(part) == true, "\(error?.problem ?? "")")
        }
    }

    @Test func `a line that repeats the names of the columns is refused`() throws {
        for (name, contents) in [
            ("a.csv", "text,label\nx,1\ntext,label\ny,0\n"), ("a.tsv", "text\tn\nx\t1\ntext\tn\n"),
        ] {
            let error = #expect(throws: DatasetError.self) {
                try read(name, contents, columns: ColumnNames(label: name == "a.csv" ? nil : "n"))
            }
            #expect(error?.line == 3 && error?.problem.contains("repeats the names") == true)
        }
        #expect(try read("a.csv", "text,label\ntext,1\nx,label\n").count == 2)
    }

    @Test(arguments: [
        #"{"text": ["a good film", "bad"], "label": [1, 0]}"#, #"{"label": [1, 0], "text": ["bad", "a good film"]}"#,
        #"{"text": {"0": "a good film", "1": "bad"}, "label": {"0": 1, "1": 0}}"#,
    ])
    func `columns in one JSON object are refused with how to write rows`(contents: String) throws {
        let error = #expect(throws: DatasetError.self) { try read("a.json", contents) }
        #expect(error?.problem.contains("lines=True") == true)
        let apart = #"{"columns": ["text", "label"], "index": [0], "data": [["good", 1]]}"#
        #expect(throws: DatasetError.self) { try read("a.json", apart) }
        #expect(try read("a.json", #"{"tokens": ["a", "film"], "ner_tags": ["O", "O"]}"#).words == [["a", "film"]])
    }

    @Test(arguments: [
        "text,label\nEU rejects,B-ORG O\nPeter,B-PER\n", "text,label\nEU rejects,\"B-ORG,O\"\nPeter,B-PER\n",
        "text,label\nEU rejects,\"['B-ORG', 'O']\"\nPeter,['B-PER']\n",
        #"{"text":"EU rejects","label":["B-ORG","O"]}"# + "\n" + #"{"text":"Peter","label":["B-PER"]}"#,
    ])
    func `tags beside a text are a label for each word`(contents: String) throws {
        let dataset = try read(contents.hasPrefix("{") ? "a.jsonl" : "a.csv", contents)
        #expect(dataset.words == [["EU", "rejects"], ["Peter"]] && dataset.labels == [["B-ORG", "O"], ["B-PER"]])
        #expect(dataset.labelLayout == .words && dataset.notes.count == 1)
    }

    @Test func `each word needs a tag, and single tags are labels of texts`() throws {
        let error = #expect(throws: DatasetError.self) { try read("a.csv", "text,label\na,O\nEU rejects it,B-ORG O\n") }
        #expect(error?.line == 3 && error?.problem.hasPrefix("words: 3, labels: 2") == true)
        #expect(try read("a.csv", "text,label\nx,O\ny,B-X\n").labelLayout == .single)
        #expect(try read("a.csv", "text,label\nx,O B\ny,O\n").labelLayout == .single)
    }
}
