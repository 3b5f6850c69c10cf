internal import CVectorMath
package import Tensors

/// Sums over the bits of floats, weighed by position: equal for equal contents, however they are cut and whoever adds them.
///
/// Each bit pattern is multiplied by an odd 32-bit number made of its position, and the products are added modulo 2⁶⁴. A
/// changed bit always changes the sum.
package enum PositionSum {
    /// What is summed; each kind weighs the same position otherwise.
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

/// One Adam update as ``adamUpdate(_:gradient:parameters:first:second:)`` of rows of equal length, with each row's position
/// sums of what it wrote.
///
/// - Parameter places: positions of the first parameter and of the first moments.
package func summedAdamUpdate(
    _ constants: AdamConstants, rows: Int = 1, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView,
    places: (parameters: Int, moments: Int)
) -> [PositionSum.Pair] {
    precondition(parameters.count == first.count && first.count == second.count && gradient.map { $0.count == first.count } ?? true)
    precondition(rows > 0 && parameters.count % rows == 0, "\(parameters.count) parameters are not \(rows) rows")
    var constants = constants.c
    var sums = [UInt64](repeating: 0, count: 2 * rows)
    unsafe apus_adam_summed(
        rows, parameters.count / rows, &constants, gradient?.base, parameters.base, first.base, second.base,
        UInt32(truncatingIfNeeded: places.parameters), UInt32(truncatingIfNeeded: places.moments), &sums)
    return (0..<rows).map { PositionSum.Pair(parameters: sums[2 * $0], moments: sums[2 * $0 + 1]) }
}
