import Testing

@testable import TextData

/// Files whose names promise another format than their contents.
@Suite struct MisleadingNamesTests {
    private static let objects = "{\"text\": \"good\", \"label\": \"a\"}\n{\"text\": \"bad\", \"label\": \"b\"}\n"
    private static let words = "the O\nfilm B-WORK\n\nloved O\n"

    private func read(_ name: String, _ contents: String, plain: Bool = false) throws -> Dataset {
        let folder = try TemporaryFolder([name: contents])
        defer { withExtendedLifetime(folder) {} }
        return try Dataset(
            path: folder.path(name), labels: plain ? .unwanted : .required, allowsPlainText: plain)
    }

    @Test(arguments: ["a.conll", "a.csv", "a.tsv", "a.txt", "a.bio"])
    func `JSON lines and lists are read as such`(name: String) throws {
        for contents in [
            Self.objects, "[\(Self.objects.split(separator: "\n").joined(separator: ","))]",
            "[\n  {\n    \"text\": \"good\",\n    \"label\": \"a\"\n  },\n  {\"text\": \"bad\", \"label\": \"b\"}\n]\n",
        ] {
            let dataset = try read(name, contents)
            #expect(dataset.texts == ["good", "bad"] && dataset.labels == [["a"], ["b"]])
            #expect(dataset.notes.count == 1 && dataset.notes[0].contains("--input-format jsonl"))
        }
        #expect(try read("a.txt", Self.objects, plain: true).texts == ["good", "bad"])
    }

    @Test(arguments: [",", "\t", ";"])
    func `tables are read as such`(separator: String) throws {
        let table = "text\(separator)label\ngood\(separator)a\nbad\(separator)b\n"
        for name in ["a.jsonl", "a.json", "a.conll"] {
            let dataset = try read(name, table)
            #expect(dataset.texts == ["good", "bad"] && dataset.labels == [["a"], ["b"]])
            #expect(dataset.notes.count == 1 && dataset.notes[0].contains("names the columns of a table"))
        }
        #expect(try read("a.txt", table, plain: true).texts == ["good", "bad"])
    }

    @Test(arguments: ["a.csv", "a.tsv", "a.jsonl"])
    func `words with tags are read as such`(name: String) throws {
        let dataset = try read(name, Self.words)
        #expect(dataset.words == [["the", "film"], ["loved"]] && dataset.notes.count == 1)
    }

    @Test func `names of columns above words are refused`() {
        for header in ["tokens\tner_tags", "words\tpos_tags", "word\ttag", "Word POS Tag", "Token ner"] {
            let contents = header + "\nthe\tDET\nfilm\tNOUN\n\nloved\tVERB\n"
            let error = #expect(throws: DatasetError.self) { try read("a.conll", contents) }
            #expect(error?.line == 1 && error?.problem.contains("names columns") == true)
        }
    }

    @Test func `what the name promises may begin like something else`() throws {
        #expect(try read("a.conll", "{ O\ntext O\n} B-X\n").words == [["{", "text", "}"]])
        #expect(try read("a.conll", "text\tO\nlabel\tB-X\n").words == [["text", "label"]])
        #expect(try read("a.conll", "word O\ntag B-X\n").words == [["word", "tag"]])
        #expect(try read("a.csv", "{text},label,text\nx,1,a\n").texts == ["a"])
        #expect(try read("a.txt", "a text, with its label\nmore\n", plain: true).count == 2)
        #expect(throws: DatasetError.self) { try read("a.jsonl", "some words\nmore words\n") }
    }
}
