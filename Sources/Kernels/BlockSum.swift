internal import CVectorMath
package import Tensors

/// Sums that do not depend on how ranges are divided: fixed blocks, added one after another.
package enum BlockSum {
    /// Elements of a block. Ranges that are summed separately begin at multiples of it.
    package static let size = 4_096

    /// The sum of squares of each block of `x`, in order.
    package static func squares(_ x: FloatView) -> [Double] {
        let count = (x.count + size - 1) / size
        return unsafe [Double](unsafeUninitializedCapacity: count) { sums, filled in
            if let base = sums.baseAddress { unsafe apus_block_squares(x.count, size, x.base, base) }
            filled = count
        }
    }

    /// The same as the total of ``squares(_:)``, block after block and without memory for them.
    package static func totalSquares(_ x: FloatView) -> Double {
        stride(from: 0, to: x.count, by: size).reduce(0) { total, start in
            var sum = 0.0
            let count = min(size, x.count - start)
            unsafe apus_block_squares(count, size, x.part(from: start, count: count).base, &sum)
            return total + sum
        }
    }

    /// Adds the blocks' sums in order.
    package static func total(_ blocks: [Double]) -> Double { blocks.reduce(0, +) }
}
