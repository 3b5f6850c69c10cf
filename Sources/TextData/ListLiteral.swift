/// A list as programs print it into one field of a table.
///
/// `['a', 'b']` of Python, `["a", "b"]` of JSON, `[1 0 0]` of NumPy, `[a, b]` of Spark; `{'a', 'b'}`, a set of Python,
/// and `{a,b}`, an array of PostgreSQL; a tuple only where its elements have quotes or are numbers. Each perhaps within
/// the name of its type: `array(…)`, `frozenset(…)`, `list(…)`.
struct ListLiteral {
    /// The elements as written, without quotes and without the constructors of NumPy around them.
    let elements: [String]
    /// Whether it cannot be a single word in brackets.
    let isCertain: Bool

    /// Whether a text begins and ends as a list does.
    static func isLikely(_ text: String) -> Bool {
        guard let (body, kind) = brackets(of: text) else { return false }
        return kind != .tuple || body.allSatisfy(isSpace) || body.contains { $0 == single || $0 == double }
            || numbers(body) != nil
    }

    /// Nil if the text is not a whole list.
    init?(_ text: String) {
        guard let (body, kind) = Self.brackets(of: text) else { return nil }
        let hasQuotes = body.contains { $0 == Self.single || $0 == Self.double }
        let isEmptyTuple = kind == .tuple && body.allSatisfy(Self.isSpace)
        guard kind != .set || !Self.hasColon(body),
            let found = isEmptyTuple
                ? [] : hasQuotes ? Self.quoted(body) : kind == .tuple ? Self.numbers(body) : Self.bare(body)
        else { return nil }
        // NumPy leaves out the middle of a long array, and None is not a label.
        guard !found.contains(where: { ["...", "None", "nan", "null"].contains($0) }) else { return nil }
        elements = found
        isCertain = hasQuotes || found.count > 1
    }

    private enum Kind { case list, tuple, set }

    private static let single = UInt8(ascii: "'")
    private static let double = UInt8(ascii: "\"")

    private static func brackets(of text: String) -> (body: ArraySlice<UInt8>, kind: Kind)? {
        var bytes = Array(text.utf8)[...]
        trim(&bytes)
        let name = bytes.prefix(while: isOfName)
        if !name.isEmpty, bytes.last == UInt8(ascii: ")") {
            guard let inner = contents(of: bytes.dropFirst(name.count)) else {
                let isEmpty = ["set", "frozenset", "list", "tuple"].contains { name.elementsEqual($0.utf8) }
                return isEmpty && bytes.count == name.count + 2 ? ([], .set) : nil
            }
            bytes = inner
        }
        guard bytes.count >= 2 else { return nil }
        let ends = (bytes[bytes.startIndex], bytes[bytes.endIndex - 1])
        if ends == (UInt8(ascii: "["), UInt8(ascii: "]")) { return (bytes.dropFirst().dropLast(), .list) }
        if ends == (UInt8(ascii: "("), UInt8(ascii: ")")) { return (bytes.dropFirst().dropLast(), .tuple) }
        if ends == (UInt8(ascii: "{"), UInt8(ascii: "}")) { return (bytes.dropFirst().dropLast(), .set) }
        return nil
    }

    /// What the parentheses behind a type's name contain first, such as `['a']` of `(['a'], dtype=object)`; nil if that
    /// is nothing in brackets.
    private static func contents(of bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard bytes.first == UInt8(ascii: "("), let open = bytes.dropFirst().first,
            let close = [UInt8(ascii: "["): UInt8(ascii: "]"), UInt8(ascii: "{"): UInt8(ascii: "}")][open]
                ?? (open == UInt8(ascii: "(") ? UInt8(ascii: ")") : nil),
            let end = bytes.dropLast().lastIndex(of: close)
        else { return nil }
        return bytes[(bytes.startIndex + 1)...end]
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".")
    }

    private static func trim(_ bytes: inout ArraySlice<UInt8>) {
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Whether a colon stands outside of quotes, as in a dictionary.
    private static func hasColon(_ body: ArraySlice<UInt8>) -> Bool {
        var index = body.startIndex
        while index < body.endIndex {
            if body[index] == UInt8(ascii: ":") { return true }
            let isQuote = body[index] == single || body[index] == double
            index = isQuote ? string(body, from: index)?.end ?? body.endIndex : index + 1
        }
        return false
    }

    /// Elements of which some have quotes; commas or white space stand between them.
    private static func quoted(_ body: ArraySlice<UInt8>) -> [String]? {
        var elements: [String] = []
        var index = body.startIndex
        while index < body.endIndex {
            let byte = body[index]
            if isSpace(byte) || byte == UInt8(ascii: ",") {
                index += 1
                continue
            }
            let start = index
            while index < body.endIndex, body[index] != single, body[index] != double, body[index] != UInt8(ascii: ","),
                !isSpace(body[index])
            { index += 1 }
            let before = String(decoding: body[start..<index], as: UTF8.self)
            guard index < body.endIndex, body[index] == single || body[index] == double else {
                guard let element = unwrapped(before) else { return nil }
                elements.append(element)
                continue
            }
            guard before.isEmpty || before == "np.str_(" || before == "u",
                let (element, end) = string(body, from: index)
            else { return nil }
            elements.append(element)
            index = end
            if before.hasSuffix("(") {
                guard index < body.endIndex, body[index] == UInt8(ascii: ")") else { return nil }
                index += 1
            }
        }
        return elements
    }

    /// A string in quotes, and its end; a backslash escapes the next character.
    private static func string(_ body: ArraySlice<UInt8>, from start: Int) -> (String, end: Int)? {
        let quote = body[start]
        var text: [UInt8] = []
        var index = start + 1
        while index < body.endIndex, body[index] != quote {
            if body[index] == UInt8(ascii: "\\"), index + 1 < body.endIndex { index += 1 }
            text.append(body[index])
            index += 1
        }
        guard index < body.endIndex else { return nil }
        return (String(decoding: text, as: UTF8.self), index + 1)
    }

    /// Elements without quotes: separated by commas, or by white space if all of them are numbers.
    private static func bare(_ body: ArraySlice<UInt8>) -> [String]? {
        let byComma = body.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
            var part = part
            trim(&part)
            return String(decoding: part, as: UTF8.self)
        }
        if byComma.count > 1 {
            let parts = byComma.last == "" ? byComma.dropLast() : byComma[...]
            return all(parts)
        }
        let bySpace = body.split(whereSeparator: isSpace).map { String(decoding: $0, as: UTF8.self) }
        guard let elements = all(bySpace[...]) else { return nil }
        let isOneText =
            bySpace.count > 1
            && !elements.allSatisfy { Float($0) != nil || LabelFlag.value(of: $0) != nil || $0 == "..." }
        return isOneText ? byComma : elements
    }

    /// The elements of a tuple without quotes, which needs a comma and has nothing but numbers.
    private static func numbers(_ body: ArraySlice<UInt8>) -> [String]? {
        guard body.contains(UInt8(ascii: ",")), let elements = bare(body),
            elements.allSatisfy({ Float($0) != nil || LabelFlag.value(of: $0) != nil })
        else { return nil }
        return elements
    }

    private static func all(_ parts: ArraySlice<String>) -> [String]? {
        var elements: [String] = []
        for part in parts {
            guard let element = unwrapped(part) else { return nil }
            elements.append(element)
        }
        return elements
    }

    /// A bare element without NumPy's constructor; nil if it is empty or contains further brackets.
    private static func unwrapped(_ text: String) -> String? {
        var text = text
        if text.hasPrefix("np."), text.hasSuffix(")"), let open = text.firstIndex(of: "(") {
            text = String(text[text.index(after: open)...].dropLast())
        }
        return text.isEmpty || text.contains { "[](){}".contains($0) } ? nil : text
    }
}
