/// How the fields of a table are separated.
struct TableDialect: Equatable {
    let separator: UInt8
    /// Whether a field may be quoted as in RFC 4180: then it may contain separators, line breaks and doubled
    /// quotes.
    let hasQuotes: Bool

    static let csv = TableDialect(separator: UInt8(ascii: ","), hasQuotes: true)
    static let semicolons = TableDialect(separator: UInt8(ascii: ";"), hasQuotes: true)
    static let tsv = TableDialect(separator: 0x09, hasQuotes: false)
    static let quotedTSV = TableDialect(separator: 0x09, hasQuotes: true)

    /// The remedy if a row and the header have different numbers of fields.
    var remedy: String {
        switch self {
        case .csv: "quote fields that contain commas, and write decimals with a point"
        case .semicolons: "quote fields that contain semicolons"
        case .quotedTSV: "quote fields that contain tabs"
        default: "remove tabs from the texts"
        }
    }
}

/// Splits bytes into rows of fields; records field ranges and makes strings only on request.
struct DelimitedRows: RowSource {
    private struct Field {
        let range: Range<Int>
        let hasDoubledQuotes: Bool
    }

    private(set) var header: [String] = []
    private let bytes: [UInt8]
    private let dialect: TableDialect
    private let path: String
    private var offset = 0
    private var line = 1
    private var fields: [Field] = []

    private static let newline: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D
    private static let quote: UInt8 = 0x22

    init(_ bytes: [UInt8], _ dialect: TableDialect, path: String) throws(DatasetError) {
        self.bytes = bytes
        self.dialect = dialect
        self.path = path
        guard try readFields() != nil else { return }
        header = fields.map { Dataset.trimmed(string($0)) }
    }

    /// The next row; an empty line is a row only if rows have a single field.
    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row? {
        while let start = try readFields() {
            if fields.count == 1, fields[0].range.isEmpty, header.count > 1 { continue }
            guard fields.count == header.count else {
                throw DatasetError(
                    path: path, line: start,
                    problem:
                        "\(fields.count == 1 ? "1 field" : "\(fields.count) fields"), the header has \(header.count): "
                        + dialect.remedy)
            }
            return Row(
                line: start, text: string(fields[choice.text]), pair: choice.pair.map { string(fields[$0]) },
                labels: choice.labels.isEmpty ? nil : choice.labels.map { string(fields[$0]) },
                fields: choice.keepsFields ? fields.map { string($0) } : nil)
        }
        return nil
    }

    /// Reads one record into `fields` and returns the line on which it began, nil at the end.
    private mutating func readFields() throws(DatasetError) -> Int? {
        guard offset < bytes.count else { return nil }
        fields.removeAll(keepingCapacity: true)
        let start = line
        while true {
            if dialect.hasQuotes, let opening = openingQuote() {
                offset = opening
                fields.append(try quotedField())
            } else {
                let begin = offset
                while offset < bytes.count, bytes[offset] != dialect.separator, bytes[offset] != Self.newline {
                    offset += 1
                }
                let endsLine = offset == bytes.count || bytes[offset] == Self.newline
                let hasReturn = endsLine && offset > begin && bytes[offset - 1] == Self.carriageReturn
                fields.append(Field(range: begin..<(hasReturn ? offset - 1 : offset), hasDoubledQuotes: false))
            }
            guard offset < bytes.count, bytes[offset] == dialect.separator else { break }
            offset += 1
        }
        if offset < bytes.count {
            offset += 1
            line += 1
        }
        return start
    }

    /// The position of a field's opening quote. Spaces before it are skipped if it opens a whole field: a writer
    /// that adds spaces quotes like any other, and a text that begins like this is quoted in full.
    private func openingQuote() -> Int? {
        var index = offset
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        guard index < bytes.count, bytes[index] == Self.quote else { return nil }
        if index == offset { return index }
        var end = index + 1
        while end < bytes.count, bytes[end] != Self.quote || (end + 1 < bytes.count && bytes[end + 1] == Self.quote) {
            end += bytes[end] == Self.quote ? 2 : 1
        }
        guard end < bytes.count else { return nil }
        let isWhole =
            end + 1 == bytes.count || [dialect.separator, Self.newline, Self.carriageReturn].contains(bytes[end + 1])
        return isWhole ? index : nil
    }

    /// Reads a field from its opening quote up to the separator or line end after it.
    private mutating func quotedField() throws(DatasetError) -> Field {
        let opened = line
        offset += 1
        let begin = offset
        var hasDoubledQuotes = false
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == Self.newline { line += 1 }
            guard byte == Self.quote else {
                offset += 1
                continue
            }
            if offset + 1 < bytes.count, bytes[offset + 1] == Self.quote {
                hasDoubledQuotes = true
                offset += 2
                continue
            }
            let field = Field(range: begin..<offset, hasDoubledQuotes: hasDoubledQuotes)
            offset += 1
            if offset + 1 < bytes.count, bytes[offset] == Self.carriageReturn, bytes[offset + 1] == Self.newline {
                offset += 1
            }
            if offset + 1 == bytes.count, bytes[offset] == Self.carriageReturn { offset += 1 }
            guard offset == bytes.count || bytes[offset] == dialect.separator || bytes[offset] == Self.newline else {
                throw DatasetError(
                    path: path, line: line, problem: "text follows a closing quote: double the quotes within a field")
            }
            return field
        }
        throw DatasetError(
            path: path, line: opened, problem: "a quote is never closed: close it, or double the quotes within a field")
    }

    private func string(_ field: Field) -> String {
        guard field.hasDoubledQuotes else { return String(decoding: bytes[field.range], as: UTF8.self) }
        var text: [UInt8] = []
        text.reserveCapacity(field.range.count)
        var index = field.range.lowerBound
        while index < field.range.upperBound {
            text.append(bytes[index])
            index += bytes[index] == Self.quote ? 2 : 1
        }
        return String(decoding: text, as: UTF8.self)
    }
}
