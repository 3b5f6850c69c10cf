/// The rows of a table that a gradient touches: ascending row numbers, and one row of values for each.
package struct SparseRows: Sendable {
    package private(set) var ids: [Int32]
    package let width: Int
    /// (ids, width).
    package private(set) var values: FloatBuffer

    /// Rows of unspecified value, to be filled by the caller.
    package init(ids: [Int32], width: Int) {
        self.ids = ids
        self.width = width
        values = FloatBuffer(scratch: ids.count * width)
    }

    package var matrix: Matrix { Matrix(values.view[0..<(ids.count * width)], rows: ids.count, columns: width) }

    package func row(_ place: Int) -> FloatView { values.view.part(from: place * width, count: width) }
}
