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

    private static let quote: UInt8 = 0x22
    private static let tab: UInt8 = 0x09
    private static let newline: UInt8 = 0x0A

    /// - Complexity: O(bytes).
    init(_ bytes: [UInt8]) {
        self = .none
        guard bytes.contains(Self.quote) else { return }
        var (index, quoted, plainInHeader, isHeader) = (0, 0, 0, true)
        var (hasDoubled, spansLines) = (false, false)
        while index < bytes.count {
            if bytes[index] == Self.quote {
                guard let field = Self.quotedField(bytes, from: index) else { return }
                hasDoubled = hasDoubled || (field.hasDoubled && !field.spansLines)
                spansLines = spansLines || field.spansLines
                quoted += 1
                index = field.end
            } else {
                let start = index
                while index < bytes.count, bytes[index] != Self.tab, bytes[index] != Self.newline {
                    guard bytes[index] != Self.quote else { return }
                    index += 1
                }
                if isHeader, index > start { plainInHeader += 1 }
            }
            if index < bytes.count, bytes[index] == Self.newline { isHeader = false }
            index += 1
        }
        guard quoted > 0 else { return }
        let isPlainTable = Self.linesHaveOneCount(bytes)
        // A quote that opens in one row and closes in another is text if the rows are complete without it.
        if isPlainTable, spansLines { return }
        self = hasDoubled || plainInHeader == 0 || !isPlainTable ? .fields : .perhaps(count: quoted)
    }

    /// The field whose opening quote is at `start`; nil if no tab or line end follows its closing one.
    private static func quotedField(_ bytes: [UInt8], from start: Int) -> (
        end: Int, hasDoubled: Bool, spansLines: Bool
    )? {
        var index = start + 1
        var (hasDoubled, spansLines) = (false, false)
        while index < bytes.count {
            if bytes[index] == newline { spansLines = true }
            guard bytes[index] == quote else {
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == quote {
                hasDoubled = true
                index += 2
                continue
            }
            index += 1
            if index < bytes.count, bytes[index] == 0x0D { index += 1 }
            return index == bytes.count || bytes[index] == tab || bytes[index] == newline
                ? (index, hasDoubled, spansLines) : nil
        }
        return nil
    }

    /// Whether all non-empty lines have the same number of tabs.
    private static func linesHaveOneCount(_ bytes: [UInt8]) -> Bool {
        let counts = bytes.split(separator: newline).lazy.filter { !$0.elementsEqual([0x0D]) }.map { line in
            line.count { $0 == tab }
        }
        guard let first = counts.first else { return true }
        return counts.allSatisfy { $0 == first }
    }
}
