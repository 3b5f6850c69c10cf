/// A borrowed, row-major (rows, columns) matrix whose rows lie `stride` elements apart.
package struct Matrix: Sendable {
    package let elements: FloatView
    package let rows: Int
    package let columns: Int
    package let stride: Int

    package init(_ elements: FloatView, rows: Int, columns: Int, stride: Int? = nil) {
        let stride = stride ?? columns
        precondition(stride >= columns, "rows of \(columns) cannot lie \(stride) apart")
        precondition(
            rows == 0 || (rows - 1) * stride + columns <= elements.count,
            "(\(rows), \(columns)) at stride \(stride) does not fit \(elements.count) elements")
        self.elements = elements
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// Whether the rows follow each other without a gap.
    package var isContiguous: Bool { stride == columns }

    /// The rows of `range`, same columns.
    package func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.upperBound <= rows, "rows \(range) of \(rows)")
        let end = range.isEmpty ? range.lowerBound * stride : (range.upperBound - 1) * stride + columns
        return Matrix(
            elements[min(range.lowerBound * stride, elements.count)..<min(end, elements.count)], rows: range.count,
            columns: columns,
            stride: stride)
    }

    /// The columns of `range`, same rows.
    package func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.upperBound <= columns, "columns \(range) of \(columns)")
        let start = min(range.lowerBound, elements.count)
        return Matrix(elements[start..<elements.count], rows: rows, columns: range.count, stride: stride)
    }

    package subscript(row: Int, column: Int) -> Float { elements[row * stride + column] }
}

extension Arena {
    /// A contiguous (rows, columns) matrix of unspecified values.
    package func take(rows: Int, columns: Int) -> Matrix {
        Matrix(take(rows * columns), rows: rows, columns: columns)
    }
}
