internal import Wording

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
        case .csv: "put double quotes around fields that contain commas, and write decimals with a point"
        case .semicolons: "put double quotes around fields that contain semicolons"
        case .quotedTSV: "put double quotes around fields that contain tabs"
        default: "remove tabs from the texts"
        }
    }
}

/// Splits bytes into rows of fields; records field ranges and makes strings only on request.
///
/// Bytes may come in blocks of whole lines. A row whose quoted field goes on in the next block is read again with that
/// block behind it.
struct DelimitedRows: RowSource {
    private struct Field {
        let range: Range<Int>
        let hasDoubledQuotes: Bool
        var isPlain = false
    }

    private enum Opening: Equatable {
        case none
        /// The position of the opening quote.
        case quote(Int)
        /// The next block decides.
        case undecided
    }

    private(set) var header: [String] = []
    private(set) var hasBareReturns = false
    private var bytes: [UInt8]
    /// The rest of the file, if `bytes` is a block of it.
    private let blocks: TextBlocks?
    private let dialect: TableDialect
    private let path: String
    private var offset = 0
    private var line = 1
    private var fields: [Field] = []
    /// Where the newest record begins, if its block is still there.
    private var recordBegin = 0
    /// Whether a carriage return alone ends a line. In a table with several columns it may be part of a text: the count
    /// of a row's fields shows which it is.
    private var returnsEndLines = false

    private static let newline = LineEnd.feed
    private static let carriageReturn = LineEnd.carriageReturn
    private static let quote: UInt8 = 0x22

    /// - Parameter blocks: what follows after `bytes`, which end with a line.
    init(_ bytes: [UInt8], _ blocks: TextBlocks? = nil, _ dialect: TableDialect, path: String) throws(DatasetError) {
        self.bytes = bytes
        self.blocks = blocks
        self.dialect = dialect
        self.path = path
        guard let start = try readFields() else { return }
        if hasReturn { try readAgain(from: start) }
        header = fields.map { Dataset.trimmed(string($0)) }
        returnsEndLines = header.count == 1
    }

    /// The next row; an empty line is a row only if rows have a single field.
    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row? {
        while let start = try readFields() {
            if fields.count == 1, fields[0].range.isEmpty, header.count > 1 { continue }
            try checkCount(start)
            if fields.count == 1, fields[0].range.isEmpty, header.count > 1 { continue }
            return Row(
                line: start, text: string(fields[choice.text]), pair: choice.pair.map { string(fields[$0]) },
                labels: choice.labels.isEmpty ? nil : choice.labels.map { string(fields[$0]) },
                fields: choice.keepsFields ? fields.map { string($0) } : nil)
        }
        return nil
    }

    /// Refuses a row with more or fewer fields than the header, if carriage returns in it do not end shorter ones.
    private mutating func checkCount(_ start: Int) throws(DatasetError) {
        guard fields.count != header.count else { return }
        let (count, hadReturn) = (fields.count, hasReturn)
        if hadReturn { try readAgain(from: start) }
        let isEmpty = hadReturn && fields.count == 1 && fields[0].range.isEmpty
        guard fields.count != header.count, !isEmpty else { return }
        throw DatasetError(
            path: path, line: start,
            problem: "\(counted(count, "field")), the header has \(header.count): "
                + (hadReturn
                    ? "a carriage return stands alone in it: end all lines with line feeds" : dialect.remedy))
    }

    /// Whether an unquoted field of the record has a carriage return in it.
    private var hasReturn: Bool {
        fields.contains { $0.isPlain && bytes[$0.range].contains(Self.carriageReturn) }
    }

    /// Reads the newest record up to the first carriage return that ends a line.
    private mutating func readAgain(from start: Int) throws(DatasetError) {
        (offset, line) = (recordBegin, start)
        returnsEndLines = true
        defer { returnsEndLines = header.count == 1 }
        guard try readRecord() else { preconditionFailure("a part of a whole record is whole") }
    }

    /// Reads one record into `fields` and returns the line on which it began, nil at the end.
    private mutating func readFields() throws(DatasetError) -> Int? {
        if offset == bytes.count { try readMore(keeping: offset) }
        guard offset < bytes.count else { return nil }
        let start = line
        var begin = offset
        while try !readRecord() {
            try readMore(keeping: begin)
            (begin, line) = (offset, start)
        }
        recordBegin = begin
        return start
    }

    /// Whether nothing follows after `bytes`.
    private var isLast: Bool { blocks?.isOver ?? true }

    /// Goes back to `begin`, drops the bytes before it and adds as many as are kept, at least a block, so that the time
    /// to read a long record again and again stays proportional to its length.
    private mutating func readMore(keeping begin: Int) throws(DatasetError) {
        offset = begin
        guard let blocks else { return }
        let kept = bytes.count - begin
        do throws(TextFile.Failure) {
            guard var more = try blocks.next() else { return }
            while more.count < kept, let next = try blocks.next() { more += next }
            bytes = kept == 0 ? more : bytes[begin...] + more
            offset = 0
        } catch { throw DatasetError(path: path, problem: error.problem) }
    }

    /// Reads the record at `offset`.
    /// - Returns: false if it goes on in the next block.
    private mutating func readRecord() throws(DatasetError) -> Bool {
        fields.removeAll(keepingCapacity: true)
        while true {
            switch dialect.hasQuotes ? opening() : .none {
            case .undecided: return false
            case .quote(let place):
                offset = place
                guard let field = try quotedField() else { return false }
                fields.append(field)
            case .none: fields.append(plainField())
            }
            guard offset < bytes.count, bytes[offset] == dialect.separator else { break }
            offset += 1
        }
        if offset < bytes.count {
            let end = LineEnd.next(in: bytes, from: offset)
            if end.isBare { hasBareReturns = true }
            offset = end.after
            line += 1
        }
        return true
    }

    private mutating func plainField() -> Field {
        let begin = offset
        while offset < bytes.count, bytes[offset] != dialect.separator, bytes[offset] != Self.newline,
            !returnsEndLines || bytes[offset] != Self.carriageReturn
        { offset += 1 }
        var end = offset
        if offset == bytes.count || bytes[offset] == Self.newline {
            while end > begin, bytes[end - 1] == Self.carriageReturn { end -= 1 }
        }
        return Field(range: begin..<end, hasDoubledQuotes: false, isPlain: true)
    }

    /// A field's opening quote. Spaces before it are skipped if it opens a whole field: a writer that adds spaces
    /// quotes like any other, and a text that begins like this is quoted in full.
    private func opening() -> Opening {
        var index = offset
        while index < bytes.count, bytes[index] == 0x20 { index += 1 }
        guard index < bytes.count, bytes[index] == Self.quote else { return .none }
        if index == offset { return .quote(index) }
        var end = index + 1
        while end < bytes.count, bytes[end] != Self.quote || (end + 1 < bytes.count && bytes[end + 1] == Self.quote) {
            end += bytes[end] == Self.quote ? 2 : 1
        }
        guard end < bytes.count else { return isLast ? .none : .undecided }
        let isWhole =
            end + 1 == bytes.count || [dialect.separator, Self.newline, Self.carriageReturn].contains(bytes[end + 1])
        return isWhole ? .quote(index) : .none
    }

    /// Reads a field from its opening quote up to the separator or line end after it.
    /// - Returns: nil if it goes on in the next block.
    private mutating func quotedField() throws(DatasetError) -> Field? {
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
            let ends = [dialect.separator, Self.newline, Self.carriageReturn]
            guard offset == bytes.count || ends.contains(bytes[offset]) else {
                throw DatasetError(
                    path: path, line: line, problem: "text follows a closing quote: double the quotes within a field")
            }
            return field
        }
        guard isLast else { return nil }
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
