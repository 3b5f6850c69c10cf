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
enum LabelFlag {
    private static let zeros: Set = ["0", "0.0", "0.", "false", "False", "FALSE"]
    private static let ones: Set = ["1", "1.0", "1.", "true", "True", "TRUE"]

    /// Nil for any other text.
    static func value(of text: String) -> Float? { zeros.contains(text) ? 0 : ones.contains(text) ? 1 : nil }
}
