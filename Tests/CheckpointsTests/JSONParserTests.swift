import Testing

@testable import Files

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        ("null", JSONValue.null), (" true\n", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
        ("-12", .integer(-12)),
        ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
        ("9007199254740993", .integer(9_007_199_254_740_993)),
        ("0.5", .number(0.5)), ("-1e-12", .number(-1e-12)), ("2E+3", .number(2000)), ("1.0", .number(1)),
        ("9223372036854775808", .number(0x1p63)), ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([])),
        ("[1, [2],\t{\"a\":\r3}]", .array([.integer(1), .array([.integer(2)]), .object([.init("a", .integer(3))])])),
    ])
    func readsEveryKindOfValue(text: String, value: JSONValue) throws { #expect(try parse(text) == value) }

    @Test(arguments: [
        "", " ", "nul", "True", "nulll", "01", "-01", "00", "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "0x10", "1_000",
        "1 2", "NaN", "Infinity", "1e400",
        "[1,]", "[,1]", "[1 2]", "[", "]", "[1", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{1:2}",
        "\"", "\"a", "'a'", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\u+123\"", "\"a\nb\"", "\"\u{1}\"", "\u{FEFF}{}",
        "{} {}", "// a\n1", "١",
    ])
    func refusesWhatIsNoJSON(text: String) { #expect(throws: JSONError.self) { try parse(text) } }

    @Test func refusesAKeyThatStandsTwice() throws {
        #expect(throws: JSONError(offset: 11, problem: "the key \"a\" occurs twice")) {
            try parse("{\"a\":1, \"a\":2}")
        }
        #expect(throws: JSONError.self) { try parse("{\"a\":1, \"\\u0061\":2}") }
        #expect(try parse("[{\"a\":1}, {\"a\":2}]").array?.count == 2)
        // Equal to Swift, but two keys to everybody else.
        #expect(try parse("{\"\u{E9}\":1, \"e\u{301}\":2}").members?.count == 2)
    }

    @Test func readsEscapesAndSurrogatePairs() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t""#) == .string("\"\\/\u{8}\u{C}\n\r\t"))
        #expect(try parse(#""\u0041\u00e9\u00E9\ud83D\uDE00\u0000""#) == .string("A\u{E9}\u{E9}\u{1F600}\u{0}"))
        #expect(try parse("\"\u{E9} \u{1F600}\"") == .string("\u{E9} \u{1F600}"))
    }

    @Test(arguments: [
        #""\ud83d""#, #""\ud83dx""#, #""\ud83d\n""#, #""\ude00""#, #""\ud83d\ud83d""#, #""\ud83d\u0041""#,
    ])
    func refusesHalfASurrogatePair(text: String) { #expect(throws: JSONError.self) { try parse(text) } }

    @Test func refusesWhatIsNotUTF8() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82]] {
            #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
        }
    }

    @Test func nestsSixtyFourLevelsAndNoDeeper() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try parse(nested(64)).array != nil)
        #expect(throws: JSONError.self) { try parse(nested(65)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    }

    @Test func writesWhatItReadsBack() throws {
        let value = JSONValue.object([
            .init(
                "z",
                .array([.null, .bool(true), .integer(.min), .number(1e-12), .number(0.1), .number(1), .number(1e300)])),
            .init("a", .object([])),
            .init("\"\\\n\r\t\u{1}\u{7F}\u{2028}é\u{1F600}", .string("\u{0}/")), .init("m", .array([])),
        ])
        #expect(try parse(value.text) == value)
        #expect(try parse(value.line) == value)
        #expect(!value.line.contains("\n"))
        #expect(JSONValue.number(.nan).line == "null")
    }

    @Test func keepsTheOrderOfKeysWhenOneChanges() throws {
        var value = try parse("{\"b\":1,\"a\":[1,2],\"c\":{\"d\":null}}")
        value["a"] = .integer(7)
        value["b"] = nil
        value["x"] = .string("new")
        #expect(value.line == "{\"a\":7,\"c\":{\"d\":null},\"x\":\"new\"}")
        #expect(value.text == "{\n  \"a\": 7,\n  \"c\": {\n    \"d\": null\n  },\n  \"x\": \"new\"\n}\n")
        #expect(value["none"] == nil)
        #expect(value["c"]?["d"] == .null)
    }

    @Test func saysAtWhichByteItStopped() {
        #expect(throws: JSONError(offset: 6, problem: "expected a value")) { try parse("{\"a\": x}") }
    }
}
