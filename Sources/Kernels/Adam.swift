internal import CVectorMath
package import Tensors

/// The constants of one Adam update, computed once a step and identical on every worker.
package struct AdamConstants: Sendable, Equatable {
    /// Factor on the gradient, from clipping.
    package var gradientScale: Float
    package var beta1: Float
    package var beta2: Float
    package var oneMinusBeta1: Float
    package var oneMinusBeta2: Float
    /// Learning rate over 1 - beta1ᵗ.
    package var stepSize: Float
    /// 1 / √(1 - beta2ᵗ).
    package var inverseRootCorrection: Float
    package var epsilon: Float
    /// AdamW: 1 - learning rate × decay; 1 without decay.
    package var decayFactor: Float
    /// Adam: decay added to the gradient; 0 without.
    package var l2: Float

    package init(
        gradientScale: Float, beta1: Float, beta2: Float, oneMinusBeta1: Float, oneMinusBeta2: Float, stepSize: Float,
        inverseRootCorrection: Float, epsilon: Float, decayFactor: Float, l2: Float
    ) {
        self.gradientScale = gradientScale
        self.beta1 = beta1
        self.beta2 = beta2
        self.oneMinusBeta1 = oneMinusBeta1
        self.oneMinusBeta2 = oneMinusBeta2
        self.stepSize = stepSize
        self.inverseRootCorrection = inverseRootCorrection
        self.epsilon = epsilon
        self.decayFactor = decayFactor
        self.l2 = l2
    }

    var c: apus_adam_constants {
        apus_adam_constants(
            gradient_scale: gradientScale, beta1: beta1, beta2: beta2, one_minus_beta1: oneMinusBeta1,
            one_minus_beta2: oneMinusBeta2,
            step_size: stepSize, inverse_root_correction: inverseRootCorrection, epsilon: epsilon,
            decay_factor: decayFactor, l2: l2)
    }
}

/// One Adam update of consecutive parameters; a missing gradient is zero.
///
/// Shapes: all (n). An element's result does not depend on where a range begins or ends.
/// Source: Kingma and Ba 2015, algorithm 1, in the order of operations of torch.optim.AdamW.
package func adamUpdate(
    _ constants: AdamConstants, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView
) {
    precondition(
        parameters.count == first.count && first.count == second.count
            && gradient.map { $0.count == first.count } ?? true)
    var constants = constants.c
    unsafe apus_adam(parameters.count, &constants, gradient?.base, parameters.base, first.base, second.base)
}

/// One Adam update as ``adamUpdate(_:gradient:parameters:first:second:)``.
///
/// - Parameter places: positions of the first parameter and of the first moments.
/// - Returns: the position sums of what it wrote.
package func summedAdamUpdate(
    _ constants: AdamConstants, gradient: FloatView?, parameters: FloatView, first: FloatView, second: FloatView,
    places: (parameters: Int, moments: Int)
) -> PositionSum.Pair {
    precondition(
        parameters.count == first.count && first.count == second.count
            && gradient.map { $0.count == first.count } ?? true)
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

/// One Adam update of some rows of a table: rows in `gradient` are updated with it, the others with a gradient of zero.
///
/// Shapes: `parameters`, `first` and `second` (rows of the table, width of `gradient` or `width`).
/// - Parameters:
///   - rows: ascending, and at most ``RowSums/most`` if `sums` is given.
///   - places: positions of the table's first parameter and of its first moments.
///   - sums: if not nil, the position sums of what each row's update wrote.
package func adamUpdate(
    _ constants: AdamConstants, rows: ArraySlice<Int32>, width: Int, gradient: SparseRows?, parameters: FloatView,
    first: FloatView,
    second: FloatView, places: (parameters: Int, moments: Int), sums: inout RowSums?
) {
    guard let lowest = rows.first, let highest = rows.last else { return }
    let end = (Int(highest) + 1) * width
    precondition(
        lowest >= 0 && end <= parameters.count && end <= first.count && end <= second.count,
        "row \(highest) of \(parameters.count / width)")
    precondition(gradient.map { $0.width == width } ?? true)
    let constants = constants.c
    func update(_ sums: UnsafeMutablePointer<UInt64>?) {
        unsafe rows.withUnsafeBufferPointer { rows in
            unsafe withUnsafePointer(to: constants) { constants in
                func call(_ ids: UnsafeBufferPointer<Int32>, _ values: UnsafeMutablePointer<Float>?) {
                    unsafe apus_adam_rows(
                        rows.count, rows.baseAddress, width, constants, ids.count, ids.baseAddress, values,
                        parameters.base, first.base,
                        second.base, UInt32(truncatingIfNeeded: places.parameters),
                        UInt32(truncatingIfNeeded: places.moments), sums)
                }
                guard let gradient else { return unsafe call(UnsafeBufferPointer(start: nil, count: 0), nil) }
                let from = gradient.place(of: lowest)
                let values = unsafe gradient.matrix.elements.base + from * width
                unsafe gradient.ids[from..<gradient.place(of: highest + 1)].withUnsafeBufferPointer {
                    unsafe call($0, values)
                }
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
