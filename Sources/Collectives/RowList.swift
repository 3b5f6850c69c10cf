internal import Tensors

/// A read-only view of rows.
package struct RowList {
    /// Ascending.
    let ids: [Int32]
    /// (ids, width).
    let values: FloatView
    let width: Int

    func row(_ place: Int) -> FloatView { values.part(from: place * width, count: width) }
}

extension SparseRows {
    /// A read-only view of these rows.
    var list: RowList { RowList(ids: ids, values: matrix.elements, width: width) }
}
