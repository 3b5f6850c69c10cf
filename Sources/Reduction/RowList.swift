package import Tensors

/// A read-only view of rows.
package struct RowList {
    /// Ascending.
    package let ids: [Int32]
    /// (ids, width).
    package let values: FloatView
    package let width: Int

    package init(ids: [Int32], values: FloatView, width: Int) {
        self.ids = ids
        self.values = values
        self.width = width
    }

    func row(_ place: Int) -> FloatView { values.part(from: place * width, count: width) }
}

extension SparseRows {
    /// A read-only view of these rows.
    package var list: RowList { RowList(ids: ids, values: matrix.elements, width: width) }
}
