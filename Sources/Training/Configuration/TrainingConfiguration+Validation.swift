extension TrainingConfiguration {
    /// Refuses values that no run can have, the first by order of ``Key``; what needs the model or the data is checked with them.
    package func validate() throws(ConfigurationError) {
        try need(.epochs, epochs, from: 1)
        try need(.batchSize, batchSize, from: 1)
        try need(.learningRate, learningRate >= 0 && learningRate.isFinite, "a finite number from 0 up")
        try need(.weightDecay, weightDecay >= 0 && weightDecay.isFinite, "a finite number from 0 up")
        try need(.warmupSteps, warmupSteps, from: 0)
        try need(.maxSteps, maxSteps, from: 1)
        if let maxGradNorm {
            try need(.maxGradNorm, maxGradNorm > 0 && maxGradNorm.isFinite, "a finite number above 0; leave it out for no clipping")
        }
        try need(.accumulate, accumulate, from: 1)
        try need(.maxLength, maxLength >= 3, "at least 3: [CLS], one piece and [SEP]")
        try need(.maxLength, maxLength, from: 3)
        if let dropout { try need(.dropout, dropout >= 0 && dropout < 1, "a probability from 0 up and below 1") }
        try need(.lanes, lanes, from: 1)
        try need(.threads, threads, from: 1)
        try need(.checkpointEvery, checkpointEvery, from: 1)
        try need(.keep, keep, from: 1)
        try need(.minWorkers, minWorkers, from: 1)
        try need(.maxRestarts, maxRestarts, from: 0)
        try need(.coordinatorTimeout, coordinatorTimeout, from: 1)
        try need(.heartbeatTimeout, heartbeatTimeout, from: 1)
        try need(.progressTimeout, progressTimeout, from: 1)
        try validateAdaptation()
        try need(.labelSmoothing, labelSmoothing >= 0 && labelSmoothing < 1, "a share from 0 up and below 1")
        try needOwnColumns()
        try needFittingTask()
        try needFittingSource()
    }

    func need(_ key: Key, _ holds: Bool, _ needed: String) throws(ConfigurationError) {
        guard holds else { throw .outOfRange(key: key, found: value(key).shown, needed: needed) }
    }

    /// Counts end where products of two of them still fit an `Int`.
    func need(_ key: Key, _ count: Int?, from low: Int) throws(ConfigurationError) {
        guard let count else { return }
        try need(key, count >= low, "at least \(low)")
        try need(key, count <= Int(Int32.max), "at most \(Int32.max)")
    }

    private func needOwnColumns() throws(ConfigurationError) {
        let columns: [(Key, String?)] = [(.textColumn, textColumn), (.pairColumn, pairColumn), (.labelColumn, labelColumn)]
        for (index, (key, name)) in columns.enumerated() {
            for (other, otherName) in columns[..<index] {
                if let name, name == otherName { throw .sameColumn(key: key, other: other, name: name) }
            }
        }
    }
}
