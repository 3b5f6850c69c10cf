/// Whether the fields between a table's tabs have quotes around them, as the CSV writers of pandas and `datasets` write
/// them.
///
/// A writer puts quotes around a field that contains a tab, a line break or a quote, and doubles the quotes in it, or
/// around every field. Then no other field has a quote. GLUE's files have quotes as part of their texts and break one
/// of these rules.
enum TabQuotes: Equatable {
    /// No field is quoted, or the quotes cannot come from such a writer.
    case none
    /// Fields have quotes around them.
    case fields
    /// Some fields begin and end with a quote, but possibly as part of the text.
    case perhaps(count: Int)

    /// - Complexity: O(bytes).
    init(_ bytes: [UInt8]) {
        var scan = TabQuoteScan()
        scan.pass(bytes)
        self = scan.result
    }

    /// Reads blocks until their end or until it is certain that no field is quoted.
    init(_ blocks: TextBlocks) throws(TextFile.Failure) {
        var scan = TabQuoteScan()
        while !scan.isRefuted, let block = try blocks.next() { scan.pass(block) }
        self = scan.result
    }
}

/// A pass over a table that comes in blocks.
private struct TabQuoteScan {
    private enum Place {
        /// At the start of a field.
        case start
        /// In a field without quotes around it.
        case plain
        case quoted
        /// Behind a quote that closes the field or is the first of two.
        case closing
        /// Behind the carriage return after a closing quote.
        case returned
    }

    private static let quote: UInt8 = 0x22
    private static let tab: UInt8 = 0x09
    private static let newline: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D

    /// Whether there was a quote that no such writer leaves.
    private(set) var isRefuted = false
    private var place = Place.start
    private var isHeader = true
    private var plainInHeader = 0
    private var quoted = 0
    private var (hasDoubled, spansLines) = (false, false)
    /// Of the quoted field that is open.
    private var (fieldHasDoubled, fieldSpansLines) = (false, false)

    /// The tabs of the first line that is not empty, and whether all others have as many.
    private var usualTabs: Int?
    private var linesAreAlike = true
    private var (tabs, length, isReturn) = (0, 0, false)

    mutating func pass(_ block: [UInt8]) {
        for byte in block {
            count(byte)
            step(byte)
            if isRefuted { return }
        }
    }

    /// What the table is, if it ends here.
    var result: TabQuotes {
        var end = self
        end.endLine()
        if end.place == .closing || end.place == .returned { end.endQuoted() }
        guard !end.isRefuted, end.place != .quoted, end.quoted > 0 else { return .none }
        // A quote that opens in one row and closes in another is text if the rows are complete without it.
        if end.linesAreAlike, end.spansLines { return .none }
        return end.hasDoubled || end.plainInHeader == 0 || !end.linesAreAlike
            ? .fields : .perhaps(count: end.quoted)
    }

    private mutating func step(_ byte: UInt8) {
        let isEnd = byte == Self.tab || byte == Self.newline
        switch place {
        case .start:
            if byte == Self.quote {
                place = .quoted
                (fieldHasDoubled, fieldSpansLines) = (false, false)
            } else if !isEnd {
                place = .plain
                if isHeader { plainInHeader += 1 }
            }
        case .plain:
            if byte == Self.quote { isRefuted = true }
            if isEnd { place = .start }
        case .quoted:
            if byte == Self.newline { fieldSpansLines = true }
            if byte == Self.quote { place = .closing }
            return
        case .closing:
            if byte == Self.quote {
                fieldHasDoubled = true
                place = .quoted
                return
            }
            if isEnd { endQuoted() } else if byte == Self.carriageReturn { place = .returned } else { isRefuted = true }
        case .returned:
            if isEnd { endQuoted() } else { isRefuted = true }
        }
        if byte == Self.newline { isHeader = false }
    }

    private mutating func endQuoted() {
        hasDoubled = hasDoubled || (fieldHasDoubled && !fieldSpansLines)
        spansLines = spansLines || fieldSpansLines
        quoted += 1
        place = .start
    }

    private mutating func count(_ byte: UInt8) {
        guard byte != Self.newline else { return endLine() }
        if byte == Self.tab { tabs += 1 }
        length += 1
        isReturn = byte == Self.carriageReturn
    }

    private mutating func endLine() {
        if length > 1 || (length == 1 && !isReturn) {
            linesAreAlike = linesAreAlike && tabs == usualTabs ?? tabs
            usualTabs = usualTabs ?? tabs
        }
        (tabs, length, isReturn) = (0, 0, false)
    }
}
