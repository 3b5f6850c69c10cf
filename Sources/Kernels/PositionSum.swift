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

/// The position sums of some rows, kept without heap memory.
package struct RowSums {
    /// Rows at most.
    package static let most = 64
    private var sums = InlineArray<128, UInt64>(repeating: 0)
    package private(set) var count = 0

    package init() {}

    package subscript(row: Int) -> PositionSum.Pair {
        precondition(row < count, "row \(row) of \(count)")
        return PositionSum.Pair(parameters: sums[2 * row], moments: sums[2 * row + 1])
    }

    /// The sums of all rows together.
    package var total: PositionSum.Pair {
        (0..<count).reduce(into: PositionSum.Pair()) {
            $0.parameters &+= self[$1].parameters
            $0.moments &+= self[$1].moments
        }
    }

    /// Lets `write` set two sums for each of `rows` more rows.
    @unsafe
    fileprivate mutating func append(_ rows: Int, _ write: (UnsafeMutablePointer<UInt64>) -> Void) {
        precondition(rows > 0 && count + rows <= Self.most, "\(count) and \(rows) rows")
        let first = 2 * count
        var span = sums.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { unsafe write(base + first) } }
        count += rows
    }
}

/// One Adam update as ``adamUpdate(_:gradient:parameters:first:second:)`` of rows of equal length, with each row's position
/// sums of what it wrote.
///
/// - Parameters:
///   - rows: at most ``RowSums/most``, together with those that `sums` has.
///   - places: positions of the first parameter and of the first moments.
///   - sums: gets the rows' sums.
package func summedAdamUpdate(
    _ constants: AdamConstants, rows: Int = 1, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView,
    places: (parameters: Int, moments: Int), sums: inout RowSums
) {
    precondition(parameters.count == first.count && first.count == second.count && gradient.map { $0.count == first.count } ?? true)
    precondition(rows > 0 && parameters.count % rows == 0, "\(parameters.count) parameters are not \(rows) rows")
    var constants = constants.c
    unsafe sums.append(rows) { sums in
        unsafe apus_adam_summed(
            rows, parameters.count / rows, &constants, gradient?.base, parameters.base, first.base, second.base,
            UInt32(truncatingIfNeeded: places.parameters), UInt32(truncatingIfNeeded: places.moments), sums)
    }
}
