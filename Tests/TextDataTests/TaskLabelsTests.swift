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
        return try Dataset(
            path: folder.path(name), columns: ColumnNames(label: label), labels: need, allowsPlainText: plain)
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
        let list = try dataset(
            "c.jsonl", #"{"text": "x", "label": [1, 2.5]}"# + "\n" + #"{"text": "y", "label": [-3, 4]}"#
        ).targets()
        #expect(list.values == columns.values && list.width == 2)
    }

    @Test func `a column whose own name has a comma is one column`() throws {
        #expect(try dataset("a.tsv", "sentence\ta,b\nx\t7\n", label: "a,b").targets().values == [7])
    }

    @Test func `rows with other counts of numbers are refused`() {
        #expect(
            problem { _ = try dataset("b.tsv", "sentence\tlabel\nx\t1,2\ny\t3\n").targets() }.contains(
                "line 3: 1 number, the first row has 2"))
        #expect(problem { _ = try dataset("a.tsv", "sentence\ta\nx\t1\n", label: "a,b") }.contains("no column \"b\""))
        #expect(
            problem { _ = try dataset("a.tsv", "sentence\ta\nx\t1\n", label: "a,a") }.contains("names a column twice"))
    }

    @Test func `lists of labels may be empty and written in two ways`() throws {
        let text = try dataset("a.tsv", "sentence\tlabel\nx\tgood, long\ny\t\nz\tlong\n", need: .requiredPerhapsEmpty)
        let list = try dataset(
            "a.jsonl",
            #"{"text": "x", "label": ["good", "long"]}"# + "\n" + #"{"text": "y", "label": []}"# + "\n"
                + #"{"text": "z", "label": ["long"]}"#,
            need: .requiredPerhapsEmpty)
        for dataset in [text, list] {
            let labels = try LabelSet(listed: dataset)
            #expect(labels.names == ["good", "long"])
            #expect(try labels.flags(of: dataset) == [1, 1, 0, 0, 0, 1])
        }
        #expect(list.labelLayout == .lists && text.labelLayout == .single)
    }

    private func table(_ labels: [String]) -> String {
        "sentence,labels\n" + labels.map { "x,\"\($0)\"\n" }.joined()
    }

    @Test(arguments: [
        ["['a', 'b']", "b"], ["b", "['a', 'b']"], ["['a']", "nan"], ["{'a', 'b'}", "none"],
        ["['a', None]", "['b', None]"],
        ["{'a': 1}", "{'b': 1}"], ["[[1, 0]]", "[[0, 1]]"],
    ])
    func `lists of which some are not, or cannot be read, are not classes`(labels: [String]) {
        let found = problem { _ = try dataset("a.csv", table(labels)) }
        #expect(found.contains("is not a list, as") || found.contains("cannot be read"), "\(found)")
    }

    @Test(arguments: [["[other]", "news"], ["(none)", "(some)"], ["(a, b)", "c"]])
    func `a word in brackets may be a class`(labels: [String]) throws {
        let found = try dataset("a.csv", table(labels))
        #expect(found.labelLayout == .single && found.labels == labels.map { [$0] })
    }

    @Test(arguments: [["a|b", "b", ""], ["a;b", "b", ""], ["a, b", "b", ""], ["{'a', 'b'}", "{'b'}", "set()"]])
    func `labels of a text are parted in the ways that tables have`(labels: [String]) throws {
        let found = try dataset("a.csv", table(labels), need: .requiredPerhapsEmpty)
        #expect(try LabelSet(listed: found).flags(of: found) == [1, 1, 0, 1, 0, 0])
    }

    @Test func `where labels have commas nothing else parts them`() throws {
        let found = try dataset("a.csv", table(["a|b,c", "a|b"]))
        #expect(try found.labelLists() == [["a|b", "c"], ["a|b"]])
    }

    @Test func `a list that could be flags beside one that is not is refused with the reason`() {
        let rows = #"{"text": "x", "label": [0, 1, 0]}"# + "\n" + #"{"text": "y", "label": [2, 0, 1]}"#
        let found = problem {
            let dataset = try dataset("a.jsonl", rows)
            _ = try LabelSet(listed: dataset).flags(of: dataset)
        }
        #expect(found.contains("line 1: the list [0, 1, 0] reads as a 0 or 1 for each label"), "\(found)")
    }

    @Test func `printed lists of words and tags are words with a label each`() throws {
        let rows = #""['good', 'film']","['O', 'B-X']""# + "\n" + #"['bad'],['O']"# + "\n"
        let found = try dataset("a.csv", "tokens,ner_tags\n" + rows)
        #expect(found.labelLayout == .words && found.notes.count == 1)
        #expect(found.words == [["good", "film"], ["bad"]] && found.texts == ["good film", "bad"])
        #expect(try found.wordLabels() == [["O", "B-X"], ["O"]])
        let texts = try dataset("a.csv", "text,labels\n" + #""['good', 'film']","['O']""# + "\n")
        #expect(texts.labelLayout == .lists && texts.words == nil)
    }

    @Test func `a word without a label is no class of its own`() {
        let row = #"{"tokens": ["good", "film"], "ner_tags": [0, -100]}"#
        #expect(problem { _ = try dataset("a.jsonl", row) }.contains("line 1: the label -100"))
    }

    @Test func `a label column of the wrong kind is refused`() {
        let lists = #"{"text": "x", "label": ["a", "b"]}"#
        #expect(
            problem { _ = try LabelSet(training: dataset("a.jsonl", lists)) }.contains(
                "line 1: 2 labels, classification needs one"))
        #expect(problem { _ = try LabelSet(ofWords: dataset("a.jsonl", lists)) }.contains("has no single words"))
        #expect(problem { _ = try LabelSet(listed: dataset("a.conll", "x O\n")) }.contains("a label for each word"))
        #expect(
            problem { _ = try LabelSet(training: dataset("a.conll", "x O\ny B\n")) }.contains(
                "classification needs one"))
        #expect(
            problem { _ = try LabelSet(listed: dataset("a.tsv", "sentence\ta\tb\nx\t1\t2\n", label: "a,b")) }.contains(
                "found \"2\", expected a 0 or 1"))
    }

    private static let columns = "text,toxic,obscene,threat\ngood,1,0,0\nbad,0,1,1\nloved,0,0,1\nfun,0,0,0\n"
    private static let flags: [Float] = [1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0]

    @Test func `columns of 0 and 1 are labels with the columns' names`() throws {
        let table = try dataset("a.csv", Self.columns, label: "toxic,obscene,threat")
        #expect(table.labelLayout == .columns(["toxic", "obscene", "threat"]) && table.flagWidth == 3)
        let labels = try LabelSet(listed: table)
        #expect(labels.names == ["toxic", "obscene", "threat"])
        #expect(try labels.flags(of: table) == Self.flags)
        // Another order of columns, other ways to write 0 and 1.
        let other = try dataset("a.csv", "threat,text,obscene,toxic\n0.0,x,False,True\n", label: "threat,obscene,toxic")
        #expect(try labels.flags(of: other) == [1, 0, 0])
        #expect(
            problem { _ = try labels.flags(of: dataset("a.csv", Self.columns, label: "toxic,threat")) }.contains(
                "no column for the label \"obscene\""))
        #expect(
            problem { _ = try LabelSet(listed: dataset("a.csv", "text,a,b\nx,1,0\ny,1,maybe\n", label: "a,b")) }
                .contains("line 3: found \"maybe\""))
    }

    @Test func `columns are found by the labels of a model`() throws {
        let folder = try TemporaryFolder(["a.csv": Self.columns])
        let names = ColumnNames(modelLabels: ["threat", "toxic", "obscene"])
        let table = try Dataset(path: folder.path("a.csv"), columns: names, labels: .requiredPerhapsEmpty)
        let flags = try LabelSet(names: names.modelLabels).flags(of: table)
        #expect(flags == [0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0])
        #expect(try LabelSet(names: ["LABEL_0", "LABEL_1", "LABEL_2"]).flags(of: table) == flags)
    }

    @Test(arguments: [
        ("a.jsonl", #"{"text":"x","labels":[1,0,0]}"# + "\n" + #"{"text":"y","labels":[0.0,1.0,1.0]}"#),
        ("a.jsonl", #"{"text":"x","labels":[true,false,false]}"# + "\n" + #"{"text":"y","labels":[false,true,true]}"#),
        ("a.csv", "text,label\nx,\"[1, 0, 0]\"\ny,\"[0, 1, 1]\"\n"), ("a.csv", "text,label\nx,[1 0 0]\ny,[0. 1. 1.]\n"),
        ("a.tsv", "text\tlabel\nx\t1,0,0\ny\t0,1,1\n"),
    ])
    func `vectors of 0 and 1 have an element for each label`(name: String, contents: String) throws {
        let rows = try dataset(name, contents, need: .requiredPerhapsEmpty)
        #expect(rows.flagWidth == 3)
        let labels = try LabelSet(listed: rows)
        #expect(labels.names == ["LABEL_0", "LABEL_1", "LABEL_2"])
        #expect(try labels.flags(of: rows) == [1, 0, 0, 0, 1, 1])
        #expect(try LabelSet(names: ["a", "b", "c"]).flags(of: rows) == [1, 0, 0, 0, 1, 1])
        #expect(try LabelSet(listed: rows, knownTo: ["a", "b", "c"]).names == ["a", "b", "c"])
        #expect(
            problem { _ = try LabelSet(names: ["a", "b", "c", "d"]).flags(of: rows) }.contains(
                ": 3 values of 0 and 1, expected 4"))
        #expect(
            problem { _ = try labels.flags(of: dataset("b.jsonl", #"{"text":"x","labels":[1,0]}"#)) }.contains(
                "2 values, expected 3"))
    }

    @Test func `numbers of labels stay numbers of labels`() throws {
        let rows = try dataset(
            "a.jsonl",
            #"{"text":"x","labels":[0,2]}"# + "\n" + #"{"text":"y","labels":[1]}"# + "\n" + #"{"text":"z","labels":[]}"#
        )
        #expect(rows.flagWidth == nil)
        let labels = try LabelSet(listed: rows)
        #expect(try labels.flags(of: rows) == [1, 0, 1, 0, 1, 0, 0, 0, 0])
        // As many labels as the set has, all 0 or 1: the training data said how lists are meant.
        let other = try dataset("b.jsonl", #"{"text":"x","labels":[0,1]}"#)
        #expect(
            try LabelSet(
                listed: dataset("a.jsonl", #"{"text":"x","labels":[0]}"# + "\n" + #"{"text":"y","labels":[1,0]}"#)
            ).flags(of: other) == [1, 1])
    }

    @Test func `lists that a data frame printed are lists`() throws {
        let rows = try dataset(
            "a.csv", "text,label\nx,\"['good', 'long']\"\ny,[]\nz,['long']\n", need: .requiredPerhapsEmpty)
        #expect(rows.labelLayout == .lists)
        #expect(try LabelSet(listed: rows).flags(of: rows) == [1, 1, 0, 0, 0, 1])
        #expect(
            problem { _ = try dataset("a.csv", "text,label\nx,['a']\ny,[1 ... 0]\n") }.contains(
                "line 3: the list \"[1 ... 0]\" cannot be read"))
        let mixed = problem { _ = try dataset("a.csv", "text,label\nx,['a']\ny,b\n") }
        #expect(mixed.contains("line 3: the label \"b\" is not a list"))
    }

    @Test func `numbers are classes where no class has a number for its name`() throws {
        let rows = try dataset("a.tsv", "text\tlabel\nx\t1\ny\tno\n")
        #expect(try LabelSet(names: ["no", "yes"]).classes(of: rows) == [1, 0])
        #expect(
            problem { _ = try LabelSet(names: ["no", "2"]).classes(of: rows) }.contains("the label \"1\" did not occur")
        )
    }

    @Test func `JSON lines of words and tags are read as words`() throws {
        let text =
            #"{"tokens":["good","film"],"ner_tags":["O","B-X"]}"# + "\n" + #"{"tokens":["bad"],"ner_tags":["O"]}"#
        let rows = try dataset("a.jsonl", text)
        #expect(rows.words == [["good", "film"], ["bad"]] && rows.labelLayout == .words)
        #expect(try LabelSet(ofWords: rows).wordClasses(of: rows) == [[1, 0], [1]])
        #expect(try dataset("a.jsonl", text, need: .unwanted).words == rows.words)
        // A label for the whole text makes the words a text.
        let whole = try dataset("a.jsonl", #"{"tokens":["good","film"],"label":1}"#)
        #expect(whole.texts == ["good film"] && whole.labelLayout == .single)
        #expect(
            problem { _ = try dataset("a.jsonl", #"{"tokens":["a","b"],"tags":["O"]}"#) }.contains(
                "line 1: words: 2, labels: 1"))
        #expect(
            problem {
                _ = try dataset("a.jsonl", #"{"tokens":["a"],"tags":["O"]}"# + "\n" + #"{"tokens":"b","tags":["O"]}"#)
            }.contains("line 2"))
    }

    @Test func `comments are no words, and a word may be a number sign`() throws {
        let rows = try dataset(
            "a.conll",
            "# id 11aa\tdomain=train\nthe _ _ O\ngood _ _ B-W\n\n# sent_id = 1\n# text = the "
                + "film\nthe\tO\nfilm\tI-W\n\n# O\ntag O\n\nhash O\n# O\n"
        )
        #expect(rows.words == [["the", "good"], ["the", "film"], ["#", "tag"], ["hash", "#"]])
        #expect(rows.labels?.joined().allSatisfy { ["O", "B-W", "I-W"].contains($0) } == true)
        #expect(rows.lines == [2, 7, 10, 13])
    }

    @Test func `a line that begins with a number sign is a comment or a word by its fields`() throws {
        let rows = try dataset(
            "a.conll", "#\n#sent_id=1\n# text\nthe _ O\nfilm _ B-W\n\n#good _ O\n#film _ B-W\n\n#one _ O\ntwo _ O\n")
        #expect(rows.words == [["the", "film"], ["#good", "#film"], ["#one", "two"]])
        #expect(try dataset("a.conll", "#good O\n\n#film B-W\n").words == [["#good"], ["#film"]])
        #expect(
            problem { _ = try dataset("a.conll", "the O\n# a comment\nfilm B-W\n") }.contains("line 2: fields: 3"))
    }

    @Test func `words that are numbers of words are refused, and columns are remembered`() throws {
        let text = "1\tEU\tB-ORG\n2\trejects\tO\n\n1\tPeter\tB-PER\n"
        #expect(problem { _ = try dataset("a.conll", text) }.contains("--text-column 2"))
        #expect(problem { _ = try dataset("a.conll", text, need: .unwanted) }.contains("--text-column 2"))
        #expect(try dataset("a.conll", "1 O\n2 O\n").words == [["1", "2"]])
        let folder = try TemporaryFolder(["a.conll": text, "b.conll": "Peter O\n"])
        let trained = try Dataset(
            path: folder.path("a.conll"), columns: ColumnNames(text: "2", label: "3"), labels: .required)
        #expect(trained.columns.text == "2" && trained.columns.label == "3")
        let usual = ColumnNames(usual: .init(text: "2", label: "3"))
        let again = try Dataset(path: folder.path("a.conll"), columns: usual, labels: .required)
        #expect(again.words == trained.words && again.labels == trained.labels)
        #expect(
            problem { _ = try Dataset(path: folder.path("b.conll"), columns: usual, labels: .required) }.contains(
                "the columns are those of training"))
        // A model that was trained on a table takes the usual columns.
        let named = ColumnNames(usual: .init(text: "tokens", label: "ner_tags"))
        #expect(try Dataset(path: folder.path("b.conll"), columns: named, labels: .required).words == [["Peter"]])
    }

    @Test func `the columns of words and labels have numbers`() throws {
        let text = "1\tEU\tPROPN\tB-ORG\n2-3\tdon't\t_\t_\n2\tdo\tAUX\tO\n"
        let folder = try TemporaryFolder(["a.conll": text, "a.conllu": "# text = EU\n" + text])
        func read(_ name: String, _ columns: ColumnNames) throws -> Dataset {
            try Dataset(path: folder.path(name), columns: columns, labels: .required)
        }
        #expect(try read("a.conll", ColumnNames(text: "2", label: "4")).words == [["EU", "don't", "do"]])
        let numbered = try read("a.conllu", ColumnNames(label: "3"))
        #expect(numbered.words == [["EU", "do"]] && numbered.labels == [["PROPN", "AUX"]])
        #expect(problem { _ = try read("a.conllu", ColumnNames()) }.contains("--label-column 4"))
        #expect(problem { _ = try read("a.conll", ColumnNames(text: "word")) }.contains("--text-column is \"word\""))
        #expect(
            problem { _ = try read("a.conll", ColumnNames(text: "2", label: "2")) }.contains(
                "cannot be both the word and its label"))
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
        #expect(
            problem { _ = try dataset("a.conll", "EU O\nrejects\n") }.contains("line 2: 1 field, expected at least 2"))
        #expect(problem { _ = try dataset("a.conll", "EU O\n", label: "tag") }.contains("give the column's number"))
        #expect(problem { _ = try dataset("a.conll", "\n\n") }.contains("has no sentence"))
    }

    @Test func `plain text is a text a line, where it will do`() throws {
        let text = try dataset("a.txt", "one\n\n  \ntwo words\r\n", need: .unwanted, plain: true)
        #expect(text.texts == ["one", "two words"])
        #expect(text.lines == [1, 4])
        #expect(problem { _ = try dataset("a.txt", "one\n") }.contains("the suffix \".txt\" is unknown"))
    }
}
