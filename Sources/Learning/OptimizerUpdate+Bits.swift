internal import Kernels

extension OptimizerUpdate {
    /// The constants as bit patterns, depth by depth, decayed parameters first.
    package var bits: [UInt32] {
        groups.flatMap { [$0.decayed, $0.plain] }.flatMap { $0.values.map(\.bitPattern) }
    }

    /// - Returns: nil unless there are whole groups of two sets of constants.
    package init?(bits: [UInt32]) {
        let count = AdamConstants.valueCount
        guard !bits.isEmpty, bits.count % (2 * count) == 0 else { return nil }
        func constants(_ start: Int) -> AdamConstants { AdamConstants(bits[start..<(start + count)]) }
        self.init(
            groups: stride(from: 0, to: bits.count, by: 2 * count).map {
                Group(decayed: constants($0), plain: constants($0 + count))
            })
    }
}

extension AdamConstants {
    fileprivate static let valueCount = 10

    fileprivate var values: [Float] {
        [
            gradientScale, beta1, beta2, oneMinusBeta1, oneMinusBeta2, stepSize, inverseRootCorrection, epsilon,
            decayFactor, l2,
        ]
    }

    fileprivate init(_ bits: ArraySlice<UInt32>) {
        func value(_ place: Int) -> Float { Float(bitPattern: bits[bits.startIndex + place]) }
        self.init(
            gradientScale: value(0), beta1: value(1), beta2: value(2), oneMinusBeta1: value(3), oneMinusBeta2: value(4),
            stepSize: value(5),
            inverseRootCorrection: value(6), epsilon: value(7), decayFactor: value(8), l2: value(9))
    }
}
