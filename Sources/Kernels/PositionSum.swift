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

    /// Lets `write` set two sums for each of `rows` rows.
    @unsafe
    fileprivate mutating func set(_ rows: Int, _ write: (UnsafeMutablePointer<UInt64>) -> Void) {
        precondition(rows <= Self.most, "\(rows) rows")
        var span = sums.mutableSpan
        unsafe span.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { unsafe write(base) } }
        count = rows
    }
}

/// One Adam update as ``adamUpdate(_:gradient:parameters:first:second:)``.
///
/// - Parameter places: positions of the first parameter and of the first moments.
/// - Returns: the position sums of what it wrote.
package func summedAdamUpdate(
    _ constants: AdamConstants, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView,
    places: (parameters: Int, moments: Int)
) -> PositionSum.Pair {
    precondition(parameters.count == first.count && first.count == second.count && gradient.map { $0.count == first.count } ?? true)
    var constants = constants.c
    var sums: (UInt64, UInt64) = (0, 0)
    unsafe withUnsafeMutableBytes(of: &sums) { sums in
        unsafe apus_adam_summed(
            parameters.count, &constants, gradient?.base, parameters.base, first.base, second.base,
            UInt32(truncatingIfNeeded: places.parameters), UInt32(truncatingIfNeeded: places.moments),
            sums.assumingMemoryBound(to: UInt64.self).baseAddress)
    }
    return PositionSum.Pair(parameters: sums.0, moments: sums.1)
}

/// One Adam update of some rows of a table: those that `gradient` has, with it, and the others as with a gradient of zero.
///
/// Shapes: `parameters`, `first` and `second` (rows of the table, width of `gradient` or `width`).
/// - Parameters:
///   - rows: ascending, and at most ``RowSums/most`` where sums are wanted.
///   - places: positions of the table's first parameter and of its first moments.
///   - sums: where it is not nil, the position sums of what each row's update wrote.
package func adamUpdate(
    _ constants: AdamConstants, rows: ArraySlice<Int32>, width: Int, gradient: SparseRows?, parameters: FloatView, first: FloatView,
    second: FloatView, places: (parameters: Int, moments: Int), sums: inout RowSums?
) {
    guard let lowest = rows.first, let highest = rows.last else { return }
    let end = (Int(highest) + 1) * width
    precondition(lowest >= 0 && end <= parameters.count && end <= first.count && end <= second.count, "row \(highest) of \(parameters.count / width)")
    precondition(gradient.map { $0.width == width } ?? true)
    let constants = constants.c
    func update(_ sums: UnsafeMutablePointer<UInt64>?) {
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe withUnsafePointer(to: constants) { constants in
                func call(_ ids: UnsafeBufferPointer<Int32>, _ values: UnsafeMutablePointer<Float>?) {
                    unsafe apus_adam_rows(
                        rows.count, rows.baseAddress, width, constants, ids.count, ids.baseAddress, values, parameters.base, first.base,
                        second.base, UInt32(truncatingIfNeeded: places.parameters), UInt32(truncatingIfNeeded: places.moments), sums)
                }
                guard let gradient else { return unsafe call(UnsafeBufferPointer(start: nil, count: 0), nil) }
                let from = gradient.place(of: lowest)
                let values = unsafe gradient.matrix.elements.base + from * width
                unsafe gradient.ids[from..<gradient.place(of: highest + 1)].withUnsafeBufferPointer { unsafe call($0, values) }
            }
        }
    }
    if var found = sums {
        unsafe found.set(rows.count) { unsafe update($0) }
        sums = found
    } else {
        update(nil)
    }
}
