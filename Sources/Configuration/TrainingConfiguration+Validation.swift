internal import Kernels
internal import Learning

extension TrainingConfiguration {
    /// Refuses invalid values, the first in the order of ``Key``; checks that need the model or the data come with
    /// them.
    /// - Parameter findsTask: whether the labels decided the task, and not `--task`.
    package func validate(findsTask: Bool = false) throws(ConfigurationError) {
        try need(.epochs, epochs.passes > 0 && epochs.passes <= Double(Int32.max), "a number above 0, such as 3 or 0.5")
        try need(.batchSize, batchSize, from: 1)
        try need(.learningRate, learningRate >= 0 && learningRate.isFinite, "a finite number of at least 0")
        try need(.weightDecay, weightDecay >= 0 && weightDecay.isFinite, "a finite number of at least 0")
        if case .steps(let count) = warmupSteps { try need(.warmupSteps, count, from: 0) }
        try need(.maxSteps, maxSteps, from: 1)
        if let maxGradNorm {
            try need(
                .maxGradNorm, maxGradNorm > 0 && maxGradNorm.isFinite,
                "a finite number above 0; leave it out for no clipping")
        }
        try need(.accumulate, accumulate, from: 1)
        if let maxLength { try need(.maxLength, maxLength >= 3, "at least 3: [CLS], one token and [SEP]") }
        try need(.maxLength, maxLength, from: 3)
        if let dropout { try need(.dropout, dropout >= 0 && dropout < 1, "a probability of at least 0 and below 1") }
        try need(.lanes, lanes, from: 1, through: Self.mostLanes)
        try need(
            .precision, precision == .float32 || blas == .own, "float32 with --blas openblas, which has no other")
        try validateWorker()
        try need(.checkpointEvery, checkpointEvery, from: 1)
        try need(.keep, keep, from: 0)
        try need(.minWorkers, minWorkers, from: 1)
        try need(.maxRestarts, maxRestarts, from: 0)
        try need(.progressTimeout, progressTimeout, from: 1)
        try validateAdaptation()
        try need(.labelSmoothing, labelSmoothing >= 0 && labelSmoothing < 1, "a share of at least 0 and below 1")
        try needDistinct([(.textColumn, textColumn), (.pairColumn, pairColumn), (.labelColumn, labelColumn)])
        try needFittingTask(isFound: findsTask)
        try needFittingSource()
    }

    /// The options that apply to a worker itself.
    func validateWorker() throws(ConfigurationError) {
        try need(.threads, threads, from: 1, through: Self.mostThreads)
        try need(.coordinatorTimeout, coordinatorTimeout, from: 1)
        try need(.heartbeatTimeout, heartbeatTimeout, from: 1)
    }

    func need(_ key: Key, _ holds: Bool, _ needed: String) throws(ConfigurationError) {
        guard holds else { throw .outOfRange(key: key, found: value(key).shown, needed: needed) }
    }

    /// Counts are limited so that products of two of them fit an `Int`.
    func need(_ key: Key, _ count: Int?, from low: Int, through high: Int = Int(Int32.max)) throws(ConfigurationError) {
        guard let count else { return }
        try need(key, count >= low, "at least \(low)")
        try need(key, count <= high, "at most \(high)")
    }

    /// Each lane and each thread has its own memory, even without work.
    package static let mostLanes = 65_536
    package static let mostThreads = 4_096
    /// Wider than any encoder whose weights have a smaller rank.
    static let mostRank = 65_536

    /// No two options may name one column.
    func needDistinct(_ columns: [(Key, String?)]) throws(ConfigurationError) {
        for (index, (key, name)) in columns.enumerated() {
            for (other, otherName) in columns[..<index] {
                if let name, name == otherName { throw .sameColumn(key: key, other: other, name: name) }
            }
        }
    }
}
