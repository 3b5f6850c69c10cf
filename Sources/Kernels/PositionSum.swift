internal import CVectorMath
package import Tensors

/// Sums over the bits of floats, weighed by position: equal for equal contents, however they are divided and in
/// whatever order they are added.
///
/// Each bit pattern is multiplied by an odd 32-bit number made of its position; the products are added modulo 2⁶⁴.
/// A changed bit always changes the sum.
package enum PositionSum {
    /// The kind of contents; each kind weighs the same position differently.
    package enum Kind: Sendable {
        case parameters
        case firstMoments
        case secondMoments

        fileprivate var number: Int32 {
            switch self {
            case .parameters: Int32(APUS_PARAMETERS)
            case .firstMoments: Int32(APUS_FIRST_MOMENTS)
            case .secondMoments: Int32(APUS_SECOND_MOMENTS)
            }
        }
    }

    /// The sum over `x`, whose first element has this position.
    package static func of(_ x: FloatView, from position: Int, _ kind: Kind) -> UInt64 {
        unsafe apus_position_sum(x.count, UInt32(truncatingIfNeeded: position), kind.number, x.base)
    }

    /// Sums of parameters, and of both moments together.
    package struct Pair: Sendable, Equatable {
        package var parameters: UInt64 = 0
        package var moments: UInt64 = 0

        package init(parameters: UInt64 = 0, moments: UInt64 = 0) {
            self.parameters = parameters
            self.moments = moments
        }
    }
}

/// The position sums of some rows, kept without heap allocation.
package struct RowSums {
    /// Most rows.
    package static let most = 64
    private var sums = InlineArray<128, UInt64>(repeating: 0)
    package private(set) var count = 0

    package init() {}

    package subscript(row: Int) -> PositionSum.Pair {
        precondition(row < count, "row \(row) of \(count)")
        return PositionSum.Pair(parameters: sums[2 * row], moments: sums[2 * row + 1])
    }

    /// Lets `write` set two sums for each of `rows` rows.
    @unsafe
    mutating func set(_ rows: Int, _ write: (UnsafeMutablePointer<UInt64>) -> Void) {
        precondition(rows <= Self.most, "\(rows) rows")
        var span = sums.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { unsafe write(base) } }
        count = rows
    }
}
