import Foundation
import Testing

@testable import TextData

/// Labels of every kind of task, from files as people write them.
@Suite struct TaskLabelsTests {
    private func dataset(
        _ name: String, _ contents: String, label: String? = nil, need: LabelNeed = .required, plain: Bool = false
    ) throws -> Dataset {
        let folder = try TemporaryFolder([name: contents])
        defer { withExtendedLifetime(folder) {} }
        return try Dataset(path: folder.path(name), columns: ColumnNames(label: label), labels: need, allowsPlainText: plain)
    }

    private func problem(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }

    @Test func `several targets come from several columns or from a list`() throws {
        let columns = try dataset("a.tsv", "sentence\ta\tb\nx\t1\t2.5\ny\t-3\t4\n", label: "a, b").targets()
        #expect(columns.values == [1, 2.5, -3, 4] && columns.width == 2)
        let text = try dataset("b.tsv", "sentence\tlabel\nx\t1,2.5\ny\t-3, 4\n").targets()
        #expect(text.values == columns.values && text.width == 2)
        let list = try dataset("c.jsonl", #"{"text": "x", "label": [1, 2.5]}"# + "\n" + #"{"text": "y", "label": [-3, 4]}"#).targets()
        #expect(list.values == columns.values && list.width == 2)
    }

    @Test func `a column whose own name has a comma is one column`() throws {
        #expect(try dataset("a.tsv", "sentence\ta,b\nx\t7\n", label: "a,b").targets().values == [7])
    }

    @Test func `rows with other counts of numbers are refused`() {
        #expect(problem { _ = try dataset("b.tsv", "sentence\tlabel\nx\t1,2\ny\t3\n").targets() }.contains("line 3: 1 numbers, the first row has 2"))
        #expect(problem { _ = try dataset("a.tsv", "sentence\ta\nx\t1\n", label: "a,b") }.contains("no column \"b\""))
        #expect(problem { _ = try dataset("a.tsv", "sentence\ta\nx\t1\n", label: "a,a") }.contains("names a column twice"))
    }

    @Test func `lists of labels may be empty and written in two ways`() throws {
        let text = try dataset("a.tsv", "sentence\tlabel\nx\tgood, long\ny\t\nz\tlong\n", need: .requiredPerhapsEmpty)
        let list = try dataset(
            "a.jsonl", #"{"text": "x", "label": ["good", "long"]}"# + "\n" + #"{"text": "y", "label": []}"# + "\n" + #"{"text": "z", "label": ["long"]}"#,
            need: .requiredPerhapsEmpty)
        for dataset in [text, list] {
            let labels = try LabelSet(listed: dataset)
            #expect(labels.names == ["good", "long"])
            #expect(try labels.flags(of: dataset) == [1, 1, 0, 0, 0, 1])
        }
        #expect(list.hasLists && !text.hasLists)
    }

    @Test func `a label column of the wrong kind is refused`() {
        let lists = #"{"text": "x", "label": ["a", "b"]}"#
        #expect(problem { _ = try LabelSet(training: dataset("a.jsonl", lists)) }.contains("line 1: 2 labels, classification needs one"))
        #expect(problem { _ = try LabelSet(ofWords: dataset("a.jsonl", lists)) }.contains("holds no single words"))
        #expect(problem { _ = try LabelSet(listed: dataset("a.conll", "x O\n")) }.contains("a label for each word"))
        #expect(problem { _ = try LabelSet(training: dataset("a.conll", "x O\ny B\n")) }.contains("classification needs one"))
        #expect(problem { _ = try LabelSet(listed: dataset("a.tsv", "sentence\ta\tb\nx\t1\t0\n", label: "a,b")) }.contains("several label columns"))
    }

    @Test func `words come a line with a blank line between sentences`() throws {
        let text = "-DOCSTART- -X- O O\n\nEU NNP B-ORG\nrejects VBZ O\r\n\n\nPeter\tNNP\tB-PER\n"
        let words = try dataset("a.conll", text)
        #expect(words.words == [["EU", "rejects"], ["Peter"]])
        #expect(words.labels == [["B-ORG", "O"], ["B-PER"]])
        #expect(words.lines == [3, 7])
        #expect(words.texts == ["EU rejects", "Peter"])
        #expect(try dataset("a.conll", text, label: "2").labels == [["NNP", "VBZ"], ["NNP"]])
        #expect(try dataset("a.conll", "EU\nrejects\n", need: .unwanted).words == [["EU", "rejects"]])
        #expect(problem { _ = try dataset("a.conll", "EU O\nrejects\n") }.contains("line 2: 1 field, at least 2 were needed"))
        #expect(problem { _ = try dataset("a.conll", "EU O\n", label: "tag") }.contains("the number of a column"))
        #expect(problem { _ = try dataset("a.conll", "\n\n") }.contains("has no sentence"))
    }

    @Test func `plain text is a text a line, where it will do`() throws {
        let text = try dataset("a.txt", "one\n\n  \ntwo words\r\n", need: .unwanted, plain: true)
        #expect(text.texts == ["one", "two words"])
        #expect(text.lines == [1, 4])
        #expect(problem { _ = try dataset("a.txt", "one\n") }.contains("the ending \".txt\" is unknown"))
    }
}
