package import Tensors

/// Sums that do not depend on who holds which range: fixed blocks, added one after another.
package enum BlockSum {
    /// Elements of a block. Ranges that are summed apart begin at multiples of it.
    package static let size = 4_096

    /// The sum of squares of each block of `x`, in order.
    package static func squares(_ x: FloatView) -> [Double] {
        stride(from: 0, to: x.count, by: size).map { sumOfSquares(x[$0..<min($0 + size, x.count)]) }
    }

    /// Adds the blocks' sums in order.
    package static func total(_ blocks: [Double]) -> Double { blocks.reduce(0, +) }
}
