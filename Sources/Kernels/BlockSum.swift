internal import CVectorMath
package import Tensors

/// Sums that do not depend on who holds which range: fixed blocks, added one after another.
package enum BlockSum {
    /// Elements of a block. Ranges that are summed apart begin at multiples of it.
    package static let size = 4_096

    /// The sum of squares of each block of `x`, in order.
    package static func squares(_ x: FloatView) -> [Double] {
        let count = (x.count + size - 1) / size
        return unsafe [Double](unsafeUninitializedCapacity: count) { sums, filled in
            if let base = sums.baseAddress { unsafe apus_block_squares(x.count, size, x.base, base) }
            filled = count
        }
    }

    /// Adds the blocks' sums in order.
    package static func total(_ blocks: [Double]) -> Double { blocks.reduce(0, +) }
}
