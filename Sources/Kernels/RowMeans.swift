package import Tensors

/// The mean of each sentence's rows, added in token order.
///
/// Shapes: `x` (T, D); `offsets` (S + 1) first row of each sentence; `y` (S, D).
package func meanRows(_ x: Matrix, offsets: [Int32], into y: Matrix) {
    precondition(x.isContiguous && y.isContiguous && x.columns == y.columns && y.rows == offsets.count - 1)
    precondition(offsets.last.map { Int($0) == x.rows } ?? false, "the sentences do not have \(x.rows) rows")
    let width = x.columns
    for sentence in 0..<y.rows {
        let rows = Int(offsets[sentence])..<Int(offsets[sentence + 1])
        let sum = unsafe y.elements.base + sentence * width
        unsafe sum.update(from: x.elements.base + rows.lowerBound * width, count: width)
        for row in rows.dropFirst() {
            let values = unsafe x.elements.base + row * width
            for column in 0..<width { unsafe sum[column] += values[column] }
        }
        let factor = Float(1 / Double(rows.count))
        for column in 0..<width { unsafe sum[column] *= factor }
    }
}

/// The backward pass of ``meanRows``: each row gets its share of its sentence's gradient.
///
/// Shapes: `dy` (S, D); `dx` (T, D).
package func meanRowsBackward(_ dy: Matrix, offsets: [Int32], into dx: Matrix) {
    precondition(dx.isContiguous && dy.isContiguous && dx.columns == dy.columns && dy.rows == offsets.count - 1)
    precondition(offsets.last.map { Int($0) == dx.rows } ?? false, "the sentences do not have \(dx.rows) rows")
    let width = dx.columns
    for sentence in 0..<dy.rows {
        let rows = Int(offsets[sentence])..<Int(offsets[sentence + 1])
        let factor = Float(1 / Double(rows.count))
        let gradient = unsafe dy.elements.base + sentence * width
        for row in rows {
            let values = unsafe dx.elements.base + row * width
            for column in 0..<width { unsafe values[column] = gradient[column] * factor }
        }
    }
}
