/// Reads JSON from bytes that are valid UTF-8, one value after another, without storing them.
///
/// Strings keep their bytes: a keyed collection of the standard library would treat two tokens as one
/// if they differ only in how an accent is composed.
struct JSONCursor {
    struct Failure: Error {
        let problem: String
        let offset: Int
        /// What to do; nil if the caller supplies a better remedy.
        var remedy: String?
    }

    private let bytes: [UInt8]
    private(set) var offset: Int
    private let end: Int
    /// Whether the next member or element is the first of its container, so that no comma comes before it.
    private var isFirst = false
    /// Whether a string so far had half of a surrogate pair, in whose place is the replacement character.
    var hasHalfPair = false
    /// Whether NaN, Infinity and -Infinity are values, which programs write though JSON does not have them.
    var allowsNonFinite = false

    static let deepest = 64
    static let nonFinite: Set = ["NaN", "Infinity", "-Infinity"]

    init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        offset = range?.lowerBound ?? 0
        end = range?.upperBound ?? bytes.count
    }

    /// The next byte that is not white space, nil at the end.
    mutating func peek() -> UInt8? {
        while offset < end {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            case let byte: return byte
            }
        }
        return nil
    }

    mutating func open(_ bracket: Unicode.Scalar) throws(Failure) {
        try expect(bracket)
        isFirst = true
    }

    /// Goes on behind an element of an array that another cursor opened.
    mutating func goOn() { isFirst = false }

    /// The next key of the object that is open; nil, with the object closed, after the last one.
    mutating func nextKey() throws(Failure) -> String? {
        guard try hasNext(before: "}") else { return nil }
        let key = try string()
        try expect(":")
        return key
    }

    /// Whether the open array has another element; closes the array if not.
    mutating func nextElement() throws(Failure) -> Bool { try hasNext(before: "]") }

    mutating func string() throws(Failure) -> String {
        try expect("\"")
        let start = offset
        while offset < end, bytes[offset] != 0x22, bytes[offset] != 0x5C, bytes[offset] >= 0x20 { offset += 1 }
        if offset < end, bytes[offset] == 0x22 {
            offset += 1
            return String(decoding: bytes[start..<offset - 1], as: UTF8.self)
        }
        return try stringWithEscapes(from: start)
    }

    /// A number, true, false or null, as written.
    mutating func literal() throws(Failure) -> String {
        _ = peek()
        let start = offset
        while offset < end, Self.isLiteral(bytes[offset]) { offset += 1 }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        let isNumber =
            text.first.map { $0 == "-" || $0.isNumber } == true && !text.contains("x") && Double(text)?.isFinite == true
        guard
            ["true", "false", "null"].contains(text) || isNumber || (allowsNonFinite && Self.nonFinite.contains(text))
        else {
            throw Failure(
                problem: text.isEmpty ? "a value is missing" : "\"\(text)\" is not a JSON value", offset: start,
                remedy: Self.remedies[text])
        }
        return text
    }

    /// What JSON has instead of words that other programs write.
    private static let remedies = [
        "None": "write null", "nan": "write null", "inf": "write a number", "undefined": "write null",
        "True": "write true",
        "False": "write false",
    ]

    mutating func skipValue(depth: Int = 0) throws(Failure) {
        guard depth < Self.deepest else {
            throw Failure(problem: "values are nested over \(Self.deepest) deep", offset: offset)
        }
        switch peek() {
        case 0x22: _ = try string()
        case 0x7B:
            try open("{")
            while try nextKey() != nil { try skipValue(depth: depth + 1) }
        case 0x5B:
            try open("[")
            while try nextElement() { try skipValue(depth: depth + 1) }
        default: _ = try literal()
        }
    }

    private mutating func hasNext(before bracket: Unicode.Scalar) throws(Failure) -> Bool {
        if peek() == UInt8(ascii: bracket) {
            offset += 1
            isFirst = false
            return false
        }
        if !isFirst { try expect(",") }
        isFirst = false
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard let byte = peek() else {
            throw Failure(problem: "the text ends, expected a \(character)", offset: offset)
        }
        guard byte == UInt8(ascii: character) else {
            let found = byte < 0x80 && byte > 0x20 ? "a \(Unicode.Scalar(byte))" : "something else"
            let isQuoted = character == "\"" && byte == UInt8(ascii: "'")
            throw Failure(
                problem: "found \(found), expected a \(character)", offset: offset,
                remedy: isQuoted ? "write double quotes, as json.dumps does" : nil)
        }
        offset += 1
    }

    private mutating func stringWithEscapes(from start: Int) throws(Failure) -> String {
        var text = Array(bytes[start..<offset])
        while offset < end {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case 0x22: return String(decoding: text, as: UTF8.self)
            case 0x5C: text.append(contentsOf: try escape().utf8)
            case 0..<0x20: throw Failure(problem: "a control character in a string", offset: offset - 1)
            default: text.append(byte)
            }
        }
        throw Failure(problem: "a string has no closing quote", offset: start - 1)
    }

    private mutating func escape() throws(Failure) -> Character {
        guard offset < end else { throw Failure(problem: "the text ends within an escape", offset: offset) }
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
        case UInt8(ascii: "u"): return Character(try codePoint())
        default: throw Failure(problem: "\\\(Unicode.Scalar(byte)) is not an escape of JSON", offset: offset - 2)
        }
    }

    /// The character of one or, above U+FFFF, two \u escapes; half a pair becomes the replacement character.
    private mutating func codePoint() throws(Failure) -> Unicode.Scalar {
        let high = try hexadecimal()
        if let scalar = Unicode.Scalar(high) { return scalar }
        if high < 0xDC00, offset + 1 < end, bytes[offset] == 0x5C, bytes[offset + 1] == UInt8(ascii: "u") {
            let back = offset
            offset += 2
            let low = try hexadecimal()
            if (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            {
                return scalar
            }
            offset = back
        }
        hasHalfPair = true
        return "\u{FFFD}"
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard end - offset >= 4 else { throw Failure(problem: "a \\u escape needs 4 digits", offset: offset) }
        var value: UInt32 = 0
        for byte in bytes[offset..<offset + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw Failure(problem: "a \\u escape needs 4 digits", offset: offset)
            }
            value = value << 4 | UInt32(digit)
        }
        offset += 4
        return value
    }

    private static func isLiteral(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
