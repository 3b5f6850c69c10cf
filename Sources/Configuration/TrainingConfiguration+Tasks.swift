internal import BERT
internal import Learning

extension TrainingConfiguration {
    /// Refuses options of one kind of task with another kind.
    /// - Parameter isFound: whether the labels decided the task.
    func needFittingTask(isFound: Bool) throws(ConfigurationError) {
        guard let task else { return }
        func need(_ key: Key, _ isGiven: Bool, for tasks: TargetTask...) throws(ConfigurationError) {
            guard isGiven, !tasks.contains(task) else { return }
            let fitting = tasks.map(\.rawValue).joined(separator: ", ")
            throw .contradiction(
                "\(key.flag) is for --task \(fitting), but "
                    + (isFound
                        ? "the labels are those of \(task.rawValue): leave it out, or choose another --task"
                        : "--task is \(task.rawValue): leave one out"))
        }
        try need(.pooling, pooling != .cls, for: .classification, .regression, .multiLabel)
        try need(.labelSmoothing, labelSmoothing > 0, for: .classification, .tokenClassification, .maskedLM)
        try need(.classWeights, !classWeights.isEmpty, for: .classification, .tokenClassification)
        try need(.wholeWordMasking, wholeWordMasking && sourceTask != .maskedLM, for: .maskedLM)
        try need(.pairColumn, pairColumn != nil, for: .classification, .regression, .multiLabel)
        try need(.labelColumn, labelColumn != nil, for: .classification, .regression, .multiLabel, .tokenClassification)
    }

    /// Refuses options of a source task if there is none, and invalid values.
    func needFittingSource() throws(ConfigurationError) {
        let blank = TrainingConfiguration(model: model, train: train, output: output, threads: threads)
        let keys: [Key] = [
            .sourceValidation, .sourceTask, .sourceBatchSize, .lambda, .lambdaEnd, .lambdaSchedule, .sharedLayers,
            .sourceTextColumn,
            .sourcePairColumn, .sourceLabelColumn,
        ]
        guard sourceTrain != nil else {
            if let key = keys.first(where: { value($0) != blank.value($0) }) {
                throw .contradiction(
                    "\(key.flag) is for a source task, but there is none: name its data with --source-train, or leave "
                        + "it out"
                )
            }
            return
        }
        try need(.sourceBatchSize, sourceBatchSize, from: 1)
        // Samples of a step are counted in 32 bits.
        if let size = sourceBatchSize {
            let most = Int(UInt32.max) / max(1, accumulate)
            try need(.sourceBatchSize, size <= most, "at most \(most) with --accumulate \(accumulate)")
        } else {
            let most = Int(UInt32.max) / max(1, batchSize)
            try need(
                .accumulate, accumulate <= most, "at most \(most) with a source task and --batch-size \(batchSize)")
        }
        try need(.lambda, lambda >= 0 && lambda.isFinite, "a finite number of at least 0")
        if let lambdaEnd { try need(.lambdaEnd, lambdaEnd >= 0 && lambdaEnd.isFinite, "a finite number of at least 0") }
        try need(.sharedLayers, sharedLayers, from: 1)
        if lambdaSchedule == .constant, lambdaEnd != nil {
            throw .contradiction(
                "--lambda-end is given, but --lambda-schedule is constant: choose linear or cosine, or leave it out")
        }
        if lambdaSchedule != .constant, lambdaEnd == nil {
            throw .contradiction(
                "--lambda-schedule is \(lambdaSchedule.rawValue), but --lambda-end is missing: set the value of the "
                    + "last step"
            )
        }
        if let sourceTask, ![.classification, .regression, .maskedLM].contains(sourceTask) {
            throw .outOfRange(
                key: .sourceTask, found: sourceTask.rawValue, needed: "classification, regression or masked-lm")
        }
        let needless = [Key.sourcePairColumn, .sourceLabelColumn].first { value($0) != .absent }
        if sourceTask == .maskedLM, let needless {
            throw .contradiction(
                "\(needless.flag) is not for --source-task masked-lm, which learns only from texts: leave one out")
        }
        try needDistinct([
            (.sourceTextColumn, sourceTextColumn), (.sourcePairColumn, sourcePairColumn),
            (.sourceLabelColumn, sourceLabelColumn),
        ])
    }
}
