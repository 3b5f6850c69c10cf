/// One row, reduced to the chosen columns.
struct Row {
    let line: Int
    /// The words joined by spaces, if the row gives them one by one.
    let text: String
    let pair: String?
    let labels: [String]?
    /// Whether the labels were written as a list.
    var isList = false
    var words: [String]?
    /// All of the row's fields, if they are kept.
    var fields: [String]?
}

/// A file format: column names first, then row after row.
protocol RowSource {
    var header: [String] { get }
    /// Whether a line ended in a carriage return alone, among the rows read so far.
    var hasBareReturns: Bool { get }
    /// What the user should know of how these rows were read, one line each.
    var notes: [String] { get }
    mutating func next(_ choice: ColumnChoice) throws(DatasetError) -> Row?
}

extension RowSource {
    var notes: [String] { [] }
}
