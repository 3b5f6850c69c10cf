/// How a data file stores the target of each row.
package enum LabelLayout: Equatable, Sendable {
    /// One value per row.
    case single
    /// A value in each of several columns, by the columns' names.
    case columns([String])
    /// A list of values per row.
    case lists
    /// A value for each word of a row.
    case words
}

/// One row's 0 or 1 for a label, in every form that programs write.
package enum LabelFlag {
    private static let zeros: Set = ["0", "0.0", "0.", "false", "False", "FALSE"]
    private static let ones: Set = ["1", "1.0", "1.", "true", "True", "TRUE"]

    /// Nil for any other text. Numbers may have decimals or an exponent, `1.00` and `1.0e+00`.
    package static func value(of text: String) -> Float? {
        if zeros.contains(text) { return 0 }
        if ones.contains(text) { return 1 }
        guard text.utf8.contains(UInt8(ascii: ".")), let number = Float(text), number == 0 || number == 1 else {
            return nil
        }
        return number
    }
}
