internal import CVectorMath
package import Tensors

/// The site of a mask in the network.
package enum DropoutSite: UInt32, Sendable {
    case embeddings = 0
    case attention = 1
    case attentionOutput = 2
    case feedForward = 3
    case head = 4
    case queryAdapter = 8
    case keyAdapter = 9
    case valueAdapter = 10
    case attentionOutputAdapter = 11
    case intermediateAdapter = 12
    case outputAdapter = 13
}

/// Everything that determines a dropout mask; nothing in it depends on lanes, workers or threads.
package struct DropoutKey: Sendable {
    package let seed: UInt64
    /// Optimizer step, counted from 1.
    package let step: UInt32
    /// 0 for the target task, 1 for the source task.
    package let stream: UInt32

    package init(seed: UInt64, step: Int, stream: Int = 0) {
        self.seed = seed
        self.step = UInt32(truncatingIfNeeded: step)
        self.stream = UInt32(stream)
    }
}

/// A dropout rate as the masks implement it: in 65,536ths, with the scale that keeps the mean exact.
package struct DropoutRate: Sendable {
    package let threshold: UInt32
    /// 1 / (1 - rate).
    package let scale: Float

    package init(_ rate: Double) {
        precondition(rate >= 0 && rate < 1, "a dropout rate is in [0, 1), not \(rate)")
        threshold = UInt32(min((rate * 65_536).rounded(), 65_535))
        scale = Float(65_536 / Double(65_536 - threshold))
    }

    package var isZero: Bool { threshold == 0 }
}

/// Fills `bits` with words `first` and following of the mask of one sentence at one site.
///
/// A site's words are numbered through the whole sentence, so that any rows can be computed separately.
/// Source: Philox4x32-10, Salmon et al. 2011. Two elements share each 32-bit output.
/// - Parameters:
///   - position: the sentence's position in the global batch of its stream.
///   - layer: encoder layer from 0; any fixed number for sites outside the encoder.
package func dropoutBits(
    _ bits: BitView, from first: Int = 0, key: DropoutKey, rate: DropoutRate, position: UInt32, layer: Int,
    site: DropoutSite
) {
    let counter = [position, key.step, key.stream << 24 | site.rawValue << 16 | UInt32(layer)]
    unsafe counter.withUnsafeBufferPointer { counter in
        unsafe apus_dropout_bits(first, bits.count, key.seed, counter.baseAddress, rate.threshold, bits.base)
    }
}

/// `y = x * scale` if kept, 0 elsewhere.
///
/// Shapes: `x`, `y` (T, n), in place allowed; `bits` T rows of ⌈n / 16⌉ words.
package func dropout(_ x: Matrix, bits: BitView, rate: DropoutRate, into y: Matrix) {
    precondition(x.stride == y.stride && x.columns == y.columns && x.rows == y.rows)
    precondition(bits.count >= x.rows * BitView.words(columns: x.columns))
    let words = BitView.words(columns: x.columns)
    Team.divide(x.rows, unit: 1, cost: 16 * x.columns) { rows in
        let first = rows.lowerBound * x.stride
        unsafe apus_dropout(
            rows.count, x.columns, x.stride, bits.base + rows.lowerBound * words, rate.scale, x.elements.base + first,
            y.elements.base + first)
    }
}

/// The backward pass of a bias followed by dropout: the gradient before dropout, and the bias's gradient.
///
/// Shapes: `dy`, `scratch` (T, n); `biasGradient` (n), column sums, see ``LaneRows``.
/// - Returns: `scratch`, or `dy` itself if nothing was dropped.
package func dropoutBackward(
    _ dy: Matrix, bits: BitView?, rate: DropoutRate, scratch: Matrix, lanes: LaneRows, biasGradient: FloatView
) -> Matrix {
    precondition(
        dy.isContiguous && scratch.isContiguous && biasGradient.count == dy.columns && scratch.columns == dy.columns)
    guard let bits else {
        sumColumns(dy, lanes: lanes, into: biasGradient)
        return dy
    }
    precondition(bits.count >= dy.rows * BitView.words(columns: dy.columns) && scratch.rows == dy.rows)
    precondition(lanes.rows == dy.rows, "lanes of \(lanes.rows) rows for \(dy.rows)")
    unsafe divideColumns(dy, lanes) { columns, lanes in
        let first = columns.lowerBound
        unsafe apus_dropout_and_sums(
            lanes, columns.count, dy.columns, bits.base + first / 16, rate.scale, dy.elements.base + first,
            scratch.elements.base + first, biasGradient.base + first)
    }
    return scratch
}
