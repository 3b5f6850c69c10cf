import Testing

@testable import TextData

@Suite struct ColumnChoiceTests {
    private func problem(_ header: [String], _ asked: ColumnNames = ColumnNames()) -> String {
        let error = #expect(throws: DatasetError.self) {
            try ColumnChoice(asked, in: header, labels: .required, path: "a.csv")
        }
        return error?.description ?? ""
    }

    @Test func `a name in other case is offered with its flag`() {
        #expect(problem(["Sentence", "label"]).hasSuffix("did you mean --text-column \"Sentence\"?"))
        #expect(problem(["text", "LABEL"]).hasSuffix("did you mean --label-column \"LABEL\"?"))
        #expect(
            problem(["body", "label"], ColumnNames(text: "Body")).hasSuffix("did you mean --text-column \"body\"?"))
        #expect(
            problem(["a", "b", "label"], ColumnNames(text: "a", pair: "B")).hasSuffix(
                "did you mean --pair-column \"b\"?"))
    }

    @Test(arguments: [["bel", "1"], ["a film that stays with you", "good"], ["bel", ""], ["0.5", "dan"]])
    func `a first line of data is recognized as a missing header`(header: [String]) {
        #expect(problem(header).contains("the first line has no column names but data"))
        #expect(problem(header).contains("found \"\(header[0])\", \"\(header[1])\""))
    }

    @Test(arguments: [["x", "y"], ["title", "product rating"], ["text", "2024"], ["Unnamed: 0", "body"]])
    func `names of columns are not taken for data`(header: [String]) {
        #expect(!problem(header).contains("no column names but data"))
    }

    @Test func `a column that an option takes for something else is named with that option`() {
        let header = ["text", "label"]
        for (asked, part) in [
            (ColumnNames(pair: "label"), "--pair-column names \"label\", and no other column looks like a label"),
            (ColumnNames(text: "label"), "--text-column names \"label\", and no other column looks like a label"),
            (ColumnNames(label: "text"), "--label-column names \"text\", and no other column looks like a text"),
            (ColumnNames(label: "label,text"), "--label-column names \"text\", and no other"),
            (ColumnNames(pair: "text"), "--pair-column names \"text\", and no other column looks like a text"),
        ] { #expect(problem(header, asked).contains(part), "\(problem(header, asked))") }
    }

    @Test func `a column is used for one thing`() throws {
        let header = ["text", "body", "label"]
        for asked in [
            ColumnNames(text: "text", pair: "text"), ColumnNames(text: "body", label: "body"),
            ColumnNames(text: "body", label: "label,body"), ColumnNames(pair: "label", label: "label"),
            ColumnNames(label: "body", usual: .init(text: "body", label: "label")),
        ] { #expect(problem(header, asked).contains("would be both"), "\(asked)") }
        func choice(_ asked: ColumnNames, _ header: [String]) throws -> ColumnChoice {
            try ColumnChoice(asked, in: header, labels: .required, path: "a.csv")
        }
        #expect(try choice(ColumnNames(label: "text"), ["sentence", "text"]).labels == [1])
        #expect(try choice(ColumnNames(label: "text2"), ["text1", "text2"]).pair == nil)
        #expect(try choice(ColumnNames(text: "label"), ["label", "labels"]).labels == [1])
    }
}
