import Testing

@testable import TextData

/// Numbers as people and spreadsheets write them.
@Suite struct NumberNotationTests {
    @Test(arguments: [
        ("1.234,50", "1234.50"), ("1.234.567", "1234567"), ("-12.345,6", "-12345.6"), ("1,234.50", "1234.50"),
        ("1,234,567.8", "1234567.8"), ("1 234,5", "1234.5"), ("1 234", "1234"), ("12\u{A0}345.5", "12345.5"),
        ("1\u{202F}234,5", "1234.5"), ("1'234.5", "1234.5"), ("1\u{2019}234", "1234"),
    ])
    func `signs between thousands are recognized`(text: String, plain: String) {
        #expect(NumberNotation(text) == .thousands(plain: plain))
    }

    @Test func `what may be something else is not taken for thousands`() {
        for text in ["1,234", "0,5", "12,5", "-3,25"] { #expect(NumberNotation(text) == .decimalComma, "\(text)") }
        for text in ["0.5", "12", "-3", "1.234", "1e5", "+2"] { #expect(NumberNotation(text) == .plain, "\(text)") }
        for text in [
            "0.2,1.5", "1,234,567", "1,0,0", "1 0 0", "12 34", "0.123,4", "1.23,4", "1234.567,8", "1.2.3", "v1.2", "a",
            "", "%", ",5", "5,", "10.0.0.1", "1.234,", "2024-01-05",
        ] { #expect(NumberNotation(text) == nil, "\(text)") }
    }

    @Test func `units and other minus signs are named`() {
        for text in ["12%", "12 %", "$5", "5 \u{20AC}", "\u{A3}1,234.50"] {
            #expect(NumberNotation(text) == .unit, "\(text)")
        }
        #expect(NumberNotation("\u{2212}2.5") == .minusSign(plain: "-2.5"))
        #expect(NumberNotation.foreign(["1", "2,5", "1.234,5"])?.text == "1.234,5")
        #expect(NumberNotation.foreign(["1", "2,5"]) == nil)
        #expect(NumberNotation.foreign(["1.234,5", "good"]) == nil)
    }

    @Test func `targets with such signs are refused with the number to write`() throws {
        let folder = try TemporaryFolder([
            "a.csv": "text;label\nx;2,5\ny;1.234,50\n", "b.csv": "text,label\nx,\"[1.234,50]\"\n",
        ])
        let error = #expect(throws: DatasetError.self) {
            _ = try Dataset(path: folder.path("a.csv"), labels: .required).targets()
        }
        #expect(error?.line == 3 && error?.problem.contains("write it as 1234.50") == true)
        #expect(try Dataset(path: folder.path("b.csv"), labels: .required).targets().values == [1.234, 50])
    }
}
