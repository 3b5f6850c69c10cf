package import Tensors

/// A matrix that products of the forward and the backward pass read, and nothing else: as it is, or rounded to bf16
/// once, in half the memory.
package enum Factor {
    case single(Matrix)
    case rounded(LeftFactor)

    /// - Parameters:
    ///   - order: of the products in bf16; nil leaves the matrix as it is.
    ///   - arena: for the rounded numbers.
    package init(_ x: Matrix, _ order: ProductOrder?, arena: Arena) {
        self = order == nil ? .single(x) : .rounded(LeftFactor(x, arena: arena))
    }

    package var rows: Int {
        switch self {
        case .single(let x): x.rows
        case .rounded(let x): x.rows
        }
    }

    package var columns: Int {
        switch self {
        case .single(let x): x.columns
        case .rounded(let x): x.inner
        }
    }

    /// Numbers from one row to the next.
    var stride: Int {
        switch self {
        case .single(let x): x.stride
        case .rounded(let x): x.elementStride
        }
    }

    /// Where a number lies: of four bytes, or of two in bf16.
    func address(row: Int, column: Int) -> UnsafeRawPointer {
        precondition(row <= rows && column <= columns, "(\(row), \(column)) of (\(rows), \(columns))")
        let place = row * stride + column
        return switch self {
        case .single(let x): unsafe UnsafeRawPointer(x.elements.base + place)
        case .rounded(let x): unsafe UnsafeRawPointer(x.elements + place)
        }
    }

    /// The matrix, for a library's products, which are in single precision.
    var matrix: Matrix {
        guard case .single(let x) = self else { preconditionFailure("a library has no products in bf16") }
        return x
    }
}
