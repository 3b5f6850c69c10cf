/// Why a text is not the expected JSON.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Byte offset of the problem.
    package let offset: Int
    package let problem: String

    package init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    package var description: String { "\(problem) at byte \(offset)" }
}

extension JSONValue {
    /// Reads one document that fills `bytes`. A duplicate key in an object is an error.
    ///
    /// - Complexity: O(bytes); nested at most 64 levels deep.
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }
}

private struct JSONParser {
    private let bytes: [UInt8]
    private var place = 0
    private static let deepest = 64

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw fail("something follows the end") }
        return value
    }

    private func fail(_ problem: String) -> JSONError { JSONError(offset: place, problem: problem) }

    private mutating func skipSpace() {
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard place < bytes.count else { throw fail("the text ends early") }
        switch bytes[place] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < Self.deepest else { throw fail("nested deeper than \(Self.deepest) levels") }
            return bytes[place] == UInt8(ascii: "{") ? try object(depth: depth) : try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for scalar in word.description.utf8 {
            guard take(scalar) else { throw fail("unknown literal") }
        }
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        place += 1
        var members: [JSONValue.Member] = []
        // Compared as bytes: two strings that Swift considers equal may be distinct keys.
        var keys: Set<[UInt8]> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipSpace()
            guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") else { throw fail("expected a key") }
            let key = try string()
            guard keys.insert(Array(key.utf8)).inserted else {
                throw fail("the key \"\(key.prefix(80))\" occurs twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fail("expected a colon") }
            members.append(.init(key, try value(depth: depth + 1)))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw fail("expected a comma or }") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        place += 1
        var values: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw fail("expected a comma or ]") }
        return .array(values)
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = place
        _ = take(UInt8(ascii: "-"))
        let startsWithZero = place < bytes.count && bytes[place] == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0 else { throw fail("expected a value") }
        guard digits == 1 || !startsWithZero else { throw fail("a number has a leading 0") }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw fail("expected digits") }
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isWhole = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw fail("expected digits") }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw fail("a number is too large") }
        return .number(value)
    }

    /// Returns the number of digits.
    private mutating func skipDigits() -> Int {
        let start = place
        while place < bytes.count, bytes[place] >= UInt8(ascii: "0"), bytes[place] <= UInt8(ascii: "9") { place += 1 }
        return place - start
    }

    private mutating func string() throws(JSONError) -> String {
        place += 1
        var content: [UInt8] = []
        while true {
            guard place < bytes.count else { throw fail("a text does not end") }
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else { throw fail("not UTF-8") }
                return text
            case UInt8(ascii: "\\"):
                content.append(contentsOf: Array(String(try escape()).utf8))
            case 0..<0x20: throw fail("a control character in a text")
            default: content.append(byte)
            }
        }
    }

    private mutating func escape() throws(JSONError) -> Character {
        guard place < bytes.count else { throw fail("a text does not end") }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            if (0xD800..<0xDC00).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let second = try hexadecimal()
                guard (0xDC00..<0xE000).contains(second) else { throw fail("half a surrogate pair") }
                return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)).map(Character.init)
                    ?? "\u{FFFD}"
            }
            guard let scalar = Unicode.Scalar(first) else { throw fail("half a surrogate pair") }
            return Character(scalar)
        default: throw fail("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard place + 4 <= bytes.count else { throw fail("a text does not end") }
        let digits = String(decoding: bytes[place..<(place + 4)], as: UTF8.self)
        guard digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16) else {
            throw fail("expected four hexadecimal digits")
        }
        place += 4
        return value
    }
}
