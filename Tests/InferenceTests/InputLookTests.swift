import Testing
import TextData

@testable import Inference

@Suite struct InputLookTests {
    @Test(arguments: [
        (["{\"text\": \"good\"}"], InputLook.jsonLines), (["sentence\tlabel"], .tsv), (["a\tb", "c\td", "e\tf"], .tsv),
        (["id,Text,label", "1,good,1"], .csv), (["\"id\",\"review\"", "\"1\",\"good\""], .csv),
        (["sentence", "good"], .column),
    ])
    func `tables and JSON lines are recognized`(lines: [String], look: InputLook) {
        #expect(InputLook(of: lines, columns: nil) == look)
    }

    @Test(arguments: [
        [], [""], ["good"], ["{not json"], ["[MASK] is good"], ["good, bad and ugly", "so it is"], ["a\tb", "c"],
        ["sentence"], ["12,5", "13,5"],
    ])
    func `texts are left alone`(lines: [String]) {
        #expect(InputLook(of: lines, columns: nil) == nil)
    }

    @Test func `the columns that the model was trained on are known`() {
        #expect(InputLook(of: ["number,Opinion", "1,good"], columns: nil) == nil)
        #expect(InputLook(of: ["number,Opinion", "1,good"], columns: .init(text: "Opinion")) == .csv)
    }
}
