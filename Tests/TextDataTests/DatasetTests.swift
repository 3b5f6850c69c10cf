import Foundation
import Testing

@testable import TextData

@Suite struct DatasetTests {
    private func read(
        _ name: String, _ contents: String, columns: ColumnNames = ColumnNames(), labels: LabelNeed = .required
    ) throws -> Dataset {
        let folder = try TemporaryFolder([name: contents])
        return try Dataset(path: folder.path(name), columns: columns, labels: labels)
    }

    /// The message without the folder, or the rows read if nothing failed.
    private func complaint(
        _ name: String, _ contents: String, columns: ColumnNames = ColumnNames(), labels: LabelNeed = .required
    ) throws -> String {
        do {
            return "read \(try read(name, contents, columns: columns, labels: labels).count) rows"
        } catch let error as DatasetError {
            #expect(!error.description.contains("\n"))
            return error.description.replacingOccurrences(
                of: URL(fileURLWithPath: error.path).deletingLastPathComponent().path + "/", with: "")
        }
    }

    @Test func tabsSeparateFieldsAndQuotesAreText() throws {
        let dataset = try read("a.tsv", "sentence\tlabel\n\"so\" good\t1\n\"bad\t0\n")
        #expect(dataset.texts == ["\"so\" good", "\"bad"])
        #expect(dataset.labels == [["1"], ["0"]])
        #expect(dataset.pairs == nil)
        #expect(dataset.lines == [2, 3])
    }

    @Test func quotedFieldsHoldCommasQuotesAndLineBreaks() throws {
        let dataset = try read("a.csv", "label,text\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n\"0\",plain\r\n1,\"\"\r\n")
        #expect(dataset.texts == ["a, \"b\"\r\nc", "plain", ""])
        #expect(dataset.labels == [["1"], ["0"], ["1"]])
        #expect(dataset.lines == [2, 4, 5])
    }

    @Test func aByteOrderMarkAndAMissingLastLineEndDoNotMatter() throws {
        let expected = try read("a.csv", "text,label\nx,1\ny,0\n")
        #expect(try read("a.csv", "\u{FEFF}text,label\r\nx,1\r\ny,0").texts == expected.texts)
        #expect(try read("a.csv", "\"text\",\"label\"\r\n\"x\",\"1\"\r\n\"y\",\"0\"\r").labels == expected.labels)
    }

    @Test func jsonLinesMayHaveEscapesNumbersAndOtherKeys() throws {
        let dataset = try read(
            "a.jsonl",
            #"{"text": "a\n\u00e9\ud83d\ude00\"", "meta": {"x": [1, {"y": "}"}]}, "label": 1}"# + "\n\n"
                + #" {"label":"no","text":"b"} "#)
        #expect(dataset.texts == ["a\né😀\"", "b"])
        #expect(dataset.labels == [["1"], ["no"]])
        #expect(dataset.lines == [1, 3])
    }

    @Test func halfASurrogatePairBecomesTheReplacementCharacter() throws {
        let dataset = try read("a.json", #"{"text": "\ud83dx \ude00 \ud83d\u0041"}"#, labels: .unwanted)
        #expect(dataset.texts == ["\u{FFFD}x \u{FFFD} \u{FFFD}A"])
        #expect(dataset.notes.count == 1 && dataset.notes[0].hasPrefix("line 1 has half of a character"))
    }

    @Test func `rows with half a character are counted, in the columns that are read`() throws {
        func notes(_ lines: String..., columns: ColumnNames = ColumnNames()) throws -> [String] {
            try read("a.jsonl", lines.joined(separator: "\n"), columns: columns).notes
        }
        let other = #"{"text": "b", "label": "1", "other": "\ud83d", "more": ["\ud83d"]}"#
        let first = #"{"text": "\ud83d\ud83d", "label": "0", "other": "", "more": []}"#
        let label = #"{"label": "\ude00", "text": "\ud83d\ude00", "other": "", "more": []}"#
        #expect(try notes(other, other) == [])
        #expect(try notes(other, first).map { $0.hasPrefix("line 2 has ") } == [true])
        #expect(try notes(other, first, other, label).map { $0.hasPrefix("line 2 and 1 more have ") } == [true])
        let named = ColumnNames(text: "other")
        #expect(try notes(other, first, columns: named).map { $0.hasPrefix("line 1 has ") } == [true])
    }

    @Test func knownPairsOfColumnsAreFoundUnasked() throws {
        let dataset = try read("a.tsv", "idx\tsentence2\tsentence1\tlabel\n0\tb\ta\tyes\n")
        #expect(dataset.texts == ["a"])
        #expect(dataset.pairs == ["b"])
        #expect(try read("a.tsv", "question\tsentence\tlabel\nq\ts\t1\n").pairs == ["s"])
    }

    @Test func columnsAskedForWin() throws {
        let dataset = try read(
            "a.tsv", "sentence\tother\tlabel\tgrade\ns\to\tl\tg\n", columns: ColumnNames(text: "other", label: "grade"))
        #expect(dataset.texts == ["o"])
        #expect(dataset.labels == [["g"]])
        #expect(try read("a.tsv", "x\ttext\tlabel\n1\t2\t3\n", columns: ColumnNames(pair: "x")).pairs == ["1"])
    }

    @Test func labelsAreReadOnlyWhereWanted() throws {
        #expect(try read("a.tsv", "text\tlabel\nx\t1\n", labels: .unwanted).labels == nil)
        #expect(try read("a.tsv", "text\nx\n", labels: .ifPresent).labels == nil)
        #expect(try read("a.tsv", "text\tlabel\nx\t1\n", labels: .ifPresent).labels == [["1"]])
    }

    @Test func emptyLinesAreRowsOnlyWhereRowsHaveOneField() throws {
        #expect(try read("a.tsv", "text\nx\n\ny\n", labels: .unwanted).texts == ["x", "", "y"])
        #expect(try read("a.tsv", "text\tlabel\nx\t1\n\ny\t0\n\n").lines == [2, 4])
    }

    @Test(arguments: [
        ("a.tsv", "", "a.tsv: is empty, expected a header and rows: name another file"),
        ("a.csv", "text,label\n", "a.csv: has a header and no rows, expected at least one: name another file"),
        (
            "a.txt", "x",
            "a.txt: the suffix \".txt\" is unknown, and its first lines do not show the format: set it with "
                + "--input-format csv, tsv, jsonl or conll, or use that suffix"
        ),
        (
            "a.tsv", "x\ty\n1\t2\n",
            "a.tsv: no column looks like a text, found \"x\", \"y\": name one with --text-column, or add a "
                + "header above if this is a row"
        ),
        ("a.tsv", "text\ty\n1\t2\n", "a.tsv: no column \"label\", found \"text\", \"y\": name one with --label-column"),
        ("a.tsv", "text\tlabel\tlabel\n1\t2\t3\n", "a.tsv: 2 columns are named \"label\": rename all but one"),
        ("a.tsv", "text\tlabel\na\t1\nb\n", "a.tsv, line 3: 1 field, the header has 2: remove tabs from the texts"),
        (
            "a.csv", "text,label\n\"a\nb\",1\nc,d,0\n",
            "a.csv, line 4: 3 fields, the header has 2: put double quotes around fields that contain "
                + "commas, and write decimals with a point"
        ),
        (
            "a.csv", "text,label\na,1\n\"b,0\nc,1\n",
            "a.csv, line 3: a quote is never closed: close it, or double the quotes within a field"
        ),
        (
            "a.csv", "text,label\n\"a\"b,1\n",
            "a.csv, line 2: text follows a closing quote: double the quotes within a field"
        ),
        (
            "a.tsv", "text\tlabel\na\t1\nb\t \n",
            "a.tsv, line 3: the label is empty: fill it in, remove the row, or use --task multi-label, which allows "
                + "rows without labels"
        ),
        (
            "a.jsonl", "{\"text\":\"a\",\"label\":null}\n",
            "a.jsonl, line 1: \"label\" is null: write the label or remove the row"
        ),
        (
            "a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\"}\n",
            "a.jsonl, line 2: no \"label\", but the first line has it: give each object the same keys"
        ),
        (
            "a.jsonl", "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\n",
            "a.jsonl, line 2: a string has no closing quote: write one JSON object a line"
        ),
        (
            "a.json", "{\"text\":\"a\",\"label\":1}\n3\n",
            "a.json, line 2: is not an object, expected JSON lines: write one object per line, or a list of objects"
        ),
        (
            "a.jsonl", "{\"text\":3,\"label\":1}\n",
            "a.jsonl, line 1: \"text\" is a number, expected a string or a list of strings: write it so in each row, "
                + "or name another column"
        ),
    ])
    func badFilesAreRefusedInOneLine(name: String, contents: String, message: String) throws {
        #expect(try complaint(name, contents) == message)
    }

    @Test func aColumnThatIsNotThereIsNamedWithThoseThatAre() throws {
        #expect(
            try complaint("a.csv", "text,label\na,1\n", columns: ColumnNames(text: "body"))
                == "a.csv: no column \"body\", found \"text\", \"label\": name one of these with --text-column")
    }

    @Test func invalidUTF8IsRefusedWithItsLine() throws {
        let folder = try TemporaryFolder(["a.tsv": Data("text\tlabel\nok\t1\n".utf8) + [0x61, 0xFF, 0x09, 0x31, 0x0A]])
        let error = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("a.tsv"), labels: .required) }
        #expect(error?.description.hasSuffix("a.tsv: line 3 is not UTF-8: save the file as UTF-8") == true)
    }

    @Test func missingFilesAndFoldersAreRefused() throws {
        let folder = try TemporaryFolder([String: String]())
        try FileManager.default.createDirectory(
            at: folder.url.appendingPathComponent("b.tsv"), withIntermediateDirectories: false)
        let missing = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("a.tsv"), labels: .required) }
        #expect(missing?.problem == "there is no such file: check the path")
        let wrong = #expect(throws: DatasetError.self) { try Dataset(path: folder.path("b.tsv"), labels: .required) }
        #expect(
            wrong?.problem
                == "the folder has no train data, expected names such as train.csv or train-00000-of-00002.jsonl")
    }
}
