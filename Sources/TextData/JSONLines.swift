/// Rows of JSON lines, one object per line, or of a list of objects; the keys of the first one are the columns.
struct JSONLines: RowSource {
    private(set) var header: [String] = []
    private(set) var hasBareReturns = false
    /// Rows whose values have half of a surrogate pair, and the line of the first one.
    private var halfPairs = (count: 0, line: 0)
    private var bytes: [UInt8]
    /// The rest of the file, if `bytes` is a block of it.
    private let blocks: TextBlocks?
    private let path: String
    /// Whether the file is one list.
    private let isList: Bool
    private var offset = 0
    private var line = 0
    /// Lines of the blocks before this one.
    private var linesBefore = 0
    /// In a list: the line of `offset`, and whether the list has ended.
    private var reached = 1
    private var isClosed = false

    /// - Parameter blocks: what follows after `bytes`, which end with a line; not of a list.
    init(_ bytes: [UInt8], _ blocks: TextBlocks? = nil, path: String) throws(DatasetError) {
        self.bytes = bytes
        self.blocks = blocks
        self.path = path
        isList = Self.isList(bytes)
        var rows: String?
        var hasTexts = false
        if var cursor = try nextObject() {
            do throws(JSONCursor.Failure) {
                try cursor.open("{")
                while let key = try cursor.nextKey() {
                    header.append(key)
                    if rows == nil, Self.isListOfObjects(cursor) { rows = key }
                    hasTexts = hasTexts || Self.isListOfTexts(cursor)
                    try cursor.skipValue()
                }
            } catch { throw failure(error) }
        }
        let isWhole = blocks == nil && (offset >= bytes.count || bytes[offset...].allSatisfy { $0 <= 0x20 })
        if isWhole, hasTexts {
            throw DatasetError(
                path: path,
                problem:
                    "is one object with all texts of a column in a list, expected an object a row: write it so, as "
                    + "pandas' to_json(orient=\"records\", lines=True) does")
        }
        if isWhole, Set(header).isSuperset(of: ["columns", "data"]) {
            throw DatasetError(
                path: path,
                problem:
                    "is one object with names and rows apart, expected an object a row: write it so, as "
                    + "pandas' to_json(orient=\"records\", lines=True) does")
        }
        if let rows, isWhole {
            throw DatasetError(
                path: path,
                problem: "is one object with a list of objects under \"\(rows)\", expected an object a row: write that "
                    + "list alone")
        }
        (offset, line, reached, isClosed) = (0, linesBefore, 1, false)
    }

    /// Whether the text is one list, not lines.
    static func isList(_ bytes: [UInt8]) -> Bool {
        bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == UInt8(ascii: "[")
    }

    /// Whether the value that comes next is a list that begins with an object.
    private static func isListOfObjects(_ cursor: JSONCursor) -> Bool {
        var copy = cursor
        guard copy.peek() == UInt8(ascii: "["), (try? copy.open("[")) != nil else { return false }
        return copy.peek() == UInt8(ascii: "{")
    }

    /// Whether the value that comes next is a list, or an object with numbers as keys, of texts of several words.
    private static func isListOfTexts(_ cursor: JSONCursor) -> Bool {
        var cursor = cursor
        let isList = cursor.peek() == UInt8(ascii: "[")
        do throws(JSONCursor.Failure) {
            try cursor.open(isList ? "[" : "{")
            while isList ? try cursor.nextElement() : try cursor.nextKey().map({ Int($0) != nil }) ?? false {
                guard cursor.peek() == UInt8(ascii: "\"") else { return false }
                if try cursor.string().contains(" ") { return true }
            }
        } catch {}
        return false
    }

    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row? {
        guard var cursor = try nextObject() else { return nil }
        var text: String?
        var words: [String]?
        var pair: String?
        var labels = [[String]?](repeating: nil, count: choice.labels.count)
        var isList = false
        var fields = choice.keepsFields ? [String](repeating: "", count: header.count) : nil
        let names = (
            text: header[choice.text], pair: choice.pair.map { header[$0] }, labels: choice.labels.map { header[$0] }
        )
        do throws(JSONCursor.Failure) {
            try cursor.open("{")
            while let key = try cursor.nextKey() {
                if fields != nil, let column = header.firstIndex(of: key) {
                    var copy = cursor
                    fields?[column] = try written(&copy)
                }
                if key == names.text {
                    if cursor.peek() == UInt8(ascii: "[") {
                        words = try list(of: key, in: &cursor, areTexts: true)
                        text = words?.joined(separator: " ")
                    } else {
                        text = try value(of: key, in: &cursor, isText: true)
                    }
                } else if key == names.pair {
                    pair = try value(of: key, in: &cursor, isText: true)
                } else if let place = names.labels.firstIndex(of: key) {
                    if cursor.peek() == UInt8(ascii: "["), names.labels.count == 1 {
                        isList = true
                        labels[place] = try list(of: key, in: &cursor)
                    } else {
                        labels[place] = [try value(of: key, in: &cursor, isText: false)]
                    }
                } else {
                    let hasHalfPair = cursor.hasHalfPair
                    try cursor.skipValue()
                    cursor.hasHalfPair = hasHalfPair
                }
            }
            if cursor.peek() != nil {
                throw JSONCursor.Failure(problem: "text follows the object", offset: cursor.offset)
            }
        } catch { throw failure(error) }
        if cursor.hasHalfPair { halfPairs = (halfPairs.count + 1, halfPairs.count == 0 ? line : halfPairs.line) }
        guard let text else { throw missing(names.text) }
        if let name = names.pair, pair == nil { throw missing(name) }
        if let place = labels.firstIndex(where: { $0 == nil }) { throw missing(names.labels[place]) }
        return Row(
            line: line, text: text, pair: pair, labels: labels.isEmpty ? nil : labels.flatMap { $0 ?? [] },
            isList: isList, words: words,
            fields: fields)
    }

    var notes: [String] {
        let (count, line) = halfPairs
        guard count > 0 else { return [] }
        let lines = count > 1 ? "line \(line) and \(count - 1) more have" : "line \(line) has"
        return [
            "\(lines) half of a character (a surrogate such as \\ud83d alone), read as U+FFFD: write whole characters "
                + "if it matters"
        ]
    }

    /// A value as a table field: a string's characters, nothing for null, anything else as written.
    private func written(_ cursor: inout JSONCursor) throws(JSONCursor.Failure) -> String {
        if cursor.peek() == UInt8(ascii: "\"") { return try cursor.string() }
        let start = cursor.offset
        try cursor.skipValue()
        let text = String(decoding: bytes[start..<cursor.offset], as: UTF8.self)
        return text == "null" ? "" : text
    }

    /// The elements of an array of strings or numbers.
    private func list(of key: String, in cursor: inout JSONCursor, areTexts: Bool = false) throws(JSONCursor.Failure)
        -> [String]
    {
        var elements: [String] = []
        try cursor.open("[")
        while try cursor.nextElement() { elements.append(try value(of: key, in: &cursor, isText: areTexts)) }
        return elements
    }

    /// A cursor over the next element of the list.
    private mutating func nextElement() throws(DatasetError) -> JSONCursor? {
        guard !isClosed else { return nil }
        let isFirst = offset == 0
        var cursor = self.cursor(in: offset..<bytes.count)
        func pass(_ end: Int) {
            reached += bytes[offset..<end].count { $0 == 0x0A }
            offset = end
        }
        do throws(JSONCursor.Failure) {
            if isFirst { try cursor.open("[") } else { cursor.goOn() }
            guard try cursor.nextElement() else {
                let rest = cursor.peek()
                isClosed = true
                pass(cursor.offset)
                line = reached
                guard rest == nil else { throw JSONCursor.Failure(problem: "text follows the list", offset: offset) }
                return nil
            }
            let first = cursor.peek()
            pass(cursor.offset)
            line = reached
            guard first == UInt8(ascii: "{") else {
                throw JSONCursor.Failure(
                    problem: "the list has something else than objects", offset: offset,
                    remedy: "write a list of objects, or one object per line")
            }
            let start = offset
            try cursor.skipValue()
            pass(cursor.offset)
            return self.cursor(in: start..<offset)
        } catch { throw failure(error) }
    }

    private func cursor(in range: Range<Int>) -> JSONCursor {
        var cursor = JSONCursor(bytes, in: range)
        cursor.allowsNonFinite = true
        return cursor
    }

    /// Takes the next block if this one is over.
    /// - Returns: whether there is a line.
    private mutating func reachLine() throws(DatasetError) -> Bool {
        guard offset >= bytes.count, let blocks else { return offset < bytes.count }
        do throws(TextFile.Failure) {
            guard let next = try blocks.next() else { return false }
            (bytes, offset, linesBefore) = (next, 0, line)
            return true
        } catch { throw DatasetError(path: path, problem: error.problem) }
    }

    /// A cursor over the next line that is not blank.
    private mutating func nextObject() throws(DatasetError) -> JSONCursor? {
        if isList { return try nextElement() }
        while try reachLine() {
            // No string of JSON has a bare carriage return in it.
            let end = LineEnd.next(in: bytes, from: offset)
            var cursor = self.cursor(in: offset..<end.begin)
            offset = end.after
            if end.isBare { hasBareReturns = true }
            line += 1
            guard let first = cursor.peek() else { continue }
            guard first == UInt8(ascii: "{") else {
                throw DatasetError(
                    path: path, line: line,
                    problem:
                        "is not an object, expected JSON lines: write one object per line, or a list of objects")
            }
            return cursor
        }
        return nil
    }

    /// A string, or for a label also a number or truth value as written.
    private func value(of key: String, in cursor: inout JSONCursor, isText: Bool) throws(JSONCursor.Failure) -> String {
        let start = cursor.offset
        var found = "a list"
        switch cursor.peek() {
        case UInt8(ascii: "\""): return try cursor.string()
        case UInt8(ascii: "{"): found = "an object"
        case UInt8(ascii: "["): break
        default:
            let literal = try cursor.literal()
            guard literal != "null", !JSONCursor.nonFinite.contains(literal) else {
                throw JSONCursor.Failure(
                    problem: "\"\(key)\" is \(literal)", offset: start,
                    remedy: isText
                        ? "write the text, \"\" if it is empty, or remove the row" : "write the label or remove the row"
                )
            }
            if !isText { return literal }
            found = ["true", "false"].contains(literal) ? "a truth value" : "a number"
        }
        throw JSONCursor.Failure(
            problem:
                "\"\(key)\" is \(found), expected "
                + "\(isText ? "a string or a list of strings" : "a string or number, or a list of them")",
            offset: start,
            remedy: "write it so in each row, or name another column")
    }

    private func failure(_ error: JSONCursor.Failure) -> DatasetError {
        DatasetError(
            path: path, line: line, problem: "\(error.problem): \(error.remedy ?? "write one JSON object a line")")
    }

    private func missing(_ name: String) -> DatasetError {
        DatasetError(
            path: path, line: line, problem: "no \"\(name)\", but the first line has it: give each object the same keys"
        )
    }
}
