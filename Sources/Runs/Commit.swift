package import Files
package import Learning

/// The order to make one step's update.
package struct Commit: WordCoded, Sendable, Equatable {
    package var step: Int
    /// Bit patterns of the optimizer's constants.
    package var constants: [UInt32]
    /// Bit patterns of the sums of all losses, and of the gradient's norm: the step's values in the run's metrics.
    package var lossSum: UInt64
    package var sourceLossSum: UInt64
    package var norm: UInt64

    package init(step: Int, _ update: OptimizerUpdate, lossSum: Double = 0, sourceLossSum: Double = 0, norm: Double = 0)
    {
        self.init(
            step: step, constants: update.bits, lossSum: lossSum.bitPattern, sourceLossSum: sourceLossSum.bitPattern,
            norm: norm.bitPattern)
    }

    fileprivate init(step: Int, constants: [UInt32], lossSum: UInt64, sourceLossSum: UInt64, norm: UInt64) {
        self.step = step
        self.constants = constants
        self.lossSum = lossSum
        self.sourceLossSum = sourceLossSum
        self.norm = norm
    }
}

extension StepReport {
    /// A commit's information about its step.
    package init(_ commit: Commit) {
        self.init(
            lossSum: Double(bitPattern: commit.lossSum), sourceLossSum: Double(bitPattern: commit.sourceLossSum),
            gradientNorm: Double(bitPattern: commit.norm))
    }
}

extension Commit {
    package var words: [UInt64] {
        var words = [lossSum, sourceLossSum, norm]
        words.append(integer: step)
        words.append(row: constants.map(UInt64.init))
        return words
    }

    package init?(words: [UInt64]) {
        var reader = WordReader(words)
        guard let commit = Commit(&reader), reader.isAtEnd else { return nil }
        self = commit
    }

    package init?(_ reader: inout WordReader) {
        guard let lossSum = reader.next(), let sourceLossSum = reader.next(), let norm = reader.next(),
            let step = reader.nextInteger(),
            let constants = reader.nextRow(), constants.allSatisfy({ $0 <= UInt32.max })
        else { return nil }
        self.init(
            step: step, constants: constants.map { UInt32($0) }, lossSum: lossSum, sourceLossSum: sourceLossSum,
            norm: norm)
    }
}
