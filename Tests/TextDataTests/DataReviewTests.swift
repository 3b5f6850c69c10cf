import Testing

@testable import TextData

@Suite struct DataReviewTests {
    private func part(_ name: String, _ rows: [(text: String, label: String)]) throws -> DataReview.Part {
        let file = name + ".jsonl"
        let text = rows.map { "{\"text\": \"\($0.text)\", \"label\": \"\($0.label)\"}\n" }.joined()
        let folder = try TemporaryFolder([file: text])
        let dataset = try Dataset(path: folder.path(file), labels: .required)
        return DataReview.Part(name: name, rows: dataset, labels: dataset.labels)
    }

    private func warnings(_ training: [(String, String)], _ other: [(String, String)] = []) throws
        -> [DataReview.Warning]
    {
        let others = other.isEmpty ? [] : [try part("validation", other.map { ($0.0, $0.1) })]
        return DataReview(
            training: try part("train", training.map { ($0.0, $0.1) }), others: others, namesRareClasses: true
        ).warnings
    }

    @Test func `data without faults have no warning`() throws {
        #expect(try warnings([("a", "x"), ("b", "y")], [("c", "x")]).isEmpty)
    }

    @Test func `each kind is counted with its rows`() throws {
        let found = try warnings(
            [("a", "x"), ("a", "y"), ("b", "X "), ("c", "y"), ("c", "y"), (" ", "x"), ("", "y")],
            [("a", "x"), ("d", "z"), ("d", "z")])
        let expected: [(DataReview.Warning.Kind, String, Int)] = [
            (.sharedWithTraining, "validation", 1), (.similarLabels, "train", 1), (.twoLabels, "train", 1),
            (.emptyTexts, "train", 2), (.repeatedTexts, "train", 2), (.repeatedTexts, "validation", 1),
            (.unknownLabels, "validation", 1),
        ]
        #expect(found.map(\.kind) == expected.map(\.0))
        #expect(found.map(\.split) == expected.map(\.1))
        #expect(found.map(\.count) == expected.map(\.2))
        #expect(found[2].examples[0].hasSuffix("train.jsonl:2"))
        #expect(found[1].message.contains("\"X\" and \"x\""))
    }

    @Test func `a class below a hundredth is rare, one at a hundredth is not`() throws {
        let rows = (0..<199).map { ("text \($0)", "common") } + [("one", "rare")]
        let found = try warnings(rows)
        #expect(found.map(\.kind) == [.rareClasses])
        #expect(found[0].message.contains("\"rare\" 1"))
        #expect(try warnings(Array(rows.suffix(100))).isEmpty)
    }

    @Test func `a pair is repeated only with its second text`() throws {
        let folder = try TemporaryFolder(["a.csv": "sentence1,sentence2,label\na,b,1\na,c,0\na,b,0\n"])
        let dataset = try Dataset(path: folder.path("a.csv"), labels: .required)
        let review = DataReview(
            training: .init(name: "train", rows: dataset, labels: dataset.labels), others: [], namesRareClasses: true)
        #expect(review.warnings.map(\.count) == [1, 1])
        #expect(review.warnings.map(\.kind) == [.twoLabels, .repeatedTexts])
    }

    @Test func `a run says in one line what concerns a hundredth of the rows`() throws {
        let rows = (0..<299).map { ("text \($0)", "\($0 % 2)") }
        func brief(_ more: [(String, String)]) throws -> String? {
            DataReview(
                training: try part("train", (rows + more).map { ($0.0, $0.1) }), others: [], namesRareClasses: true
            ).brief
        }
        #expect(try brief([("text 0", "0")]) == nil)
        #expect(try brief([(" ", "1")]) == nil)
        let said = try brief([("", "0"), (" ", "0"), ("  ", "1"), ("   ", "1")])
        #expect(said == "worth a look: train: 4 texts without a character; 'apus data' says where")
    }
}
