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
}
