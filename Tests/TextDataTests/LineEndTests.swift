import Testing

@testable import TextData

/// Files whose lines end in line feeds, in carriage returns, and in both.
@Suite struct LineEndTests {
    private func read(_ name: String, _ contents: String, plain: Bool = false) throws -> Dataset {
        let folder = try TemporaryFolder([name: contents])
        defer { withExtendedLifetime(folder) {} }
        return try Dataset(
            path: folder.path(name), labels: plain ? .unwanted : .required, allowsPlainText: plain)
    }

    @Test(arguments: ["\n", "\r\n", "\r", "\r\r\n"], ["\n", "\r\n", "\r", "\r\r\n"])
    func `a file is the same whatever its lines end in`(first: String, second: String) throws {
        func text(_ lines: [String]) -> String {
            lines.enumerated().map { $1 + ($0 % 2 == 0 ? first : second) }.joined() + "\n"
        }
        let rows = [("good film", "1"), ("bad", "0"), ("so, so", "1"), ("fine", "0")]
        for (name, lines) in [
            ("a.csv", ["text,label"] + rows.map { "\"\($0.0)\",\($0.1)" }),
            ("a.tsv", ["text\tlabel"] + rows.map { "\($0.0)\t\($0.1)" }),
            ("a.jsonl", rows.map { "{\"text\": \"\($0.0)\", \"label\": \($0.1)}" }),
        ] {
            let dataset = try read(name, text(lines))
            #expect(Array(dataset.texts) == rows.map(\.0), "\(name)")
            #expect(dataset.labels == rows.map { [$0.1] }, "\(name)")
            #expect(dataset.notes.count == (first == "\r" || second == "\r" ? 1 : 0), "\(name): \(dataset.notes)")
        }
        #expect(try read("a.txt", text(rows.map(\.0)), plain: true).count == rows.count)
        // A lone carriage return and a line feed behind it are one line end, with no blank line between.
        guard second != "\r" || first == "\r" else { return }
        let words = try read("a.conll", text(["the O", "film B-WORK", "", "loved O"]))
        #expect(words.words == [["the", "film"], ["loved"]] && words.labels == [["O", "B-WORK"], ["O"]])
    }

    @Test func `a carriage return within a text of a complete row is part of the text`() throws {
        #expect(try read("a.tsv", "text\tlabel\none\rtwo\t1\nthree\t0\n").texts == ["one\rtwo", "three"])
        #expect(try read("a.csv", "text,label\n\"one\rtwo\",1\nthree,0\n").texts == ["one\rtwo", "three"])
        #expect(try read("a.csv", "text\none\rtwo\nthree\n", plain: true).texts == ["one", "two", "three"])
    }

    @Test func `a row that no line end completes is refused with the carriage return in it`() {
        let error = #expect(throws: DatasetError.self) { try read("a.csv", "text,label\na,1\nb,c,d\re,f\n") }
        #expect(error?.line == 3 && error?.problem.contains("a carriage return stands alone") == true)
    }
}
