internal import BERT
internal import Files
internal import Kernels
internal import Learning

extension ReferenceBatch {
    /// Refuses ids, masks and labels outside of the model's ranges: they come from a file, and are used as indices
    /// without further checks.
    /// - Parameter path: of the file.
    func check(_ shape: BERTShape, _ head: Head, path: String) throws(FileError) {
        func need(_ holds: Bool, _ problem: @autoclosure () -> String) throws(FileError) {
            guard holds else {
                throw FileError(
                    path, "\(stream == .target ? "" : "source.")\(problem()): create the case again with its script")
            }
        }
        func all(_ name: String, _ values: [Int64], below limit: Int) throws(FileError) {
            let odd = values.first { !(0..<Int64(limit)).contains($0) }
            try need(odd == nil, "\(name) has \(odd ?? 0), expected 0 to \(limit - 1)")
        }
        let count = sentences * width
        try need(
            width > 0 && width <= shape.positions,
            "input_ids has rows of \(width), the model has \(shape.positions) positions")
        let fits = inputIds.count == count && attentionMask.count == count && tokenTypes.count == count
        try need(fits, "attention_mask or token_type_ids does not fit input_ids")
        try all("input_ids", inputIds, below: shape.vocabulary)
        try all("token_type_ids", tokenTypes, below: shape.types)
        try all("attention_mask", attentionMask, below: 2)
        for sentence in 0..<sentences {
            let row = attentionMask[(sentence * width)..<((sentence + 1) * width)]
            try need(
                row.first == 1 && zip(row, row.dropFirst()).allSatisfy { $0 >= $1 },
                "attention_mask \(sentence) is not ones before zeros")
        }
        let outputs = head.outputs(shape)
        switch labels {
        case .classes(let classes):
            try need(classes.count == sentences, "labels has \(classes.count) classes for \(sentences) sentences")
            try all("labels", classes, below: outputs)
        case .values(let values):
            try need(
                values.count == sentences * outputs,
                "labels has \(values.count) values for \(sentences) sentences with \(outputs) each")
        case .tokens(let labels):
            try need(labels.count == count, "labels has \(labels.count) values for \(count) tokens")
            try need(labels.contains { $0 >= 0 }, "labels has no token with an answer")
            try all("labels", labels.filter { $0 != -100 }, below: outputs)
        }
    }
}

extension ReferenceCase {
    /// Refuses settings that are invalid for training.
    func check(path: String) throws(FileError) {
        func need(_ holds: Bool, _ name: String) throws(FileError) {
            guard holds else {
                throw FileError(path, "its \(name) cannot be used: create the case again with its script")
            }
        }
        func isPositive(_ value: Double) -> Bool { value > 0 && value.isFinite }
        let limit = Int(Int32.max)
        try need(isPositive(schedule.peak), "lr")
        try need(
            (0...limit).contains(schedule.warmupSteps) && (1...limit).contains(schedule.totalSteps),
            "warmup or total_steps")
        try need((1...1_000).contains(steps), "steps")
        try need(optimizer.weightDecay >= 0 && optimizer.weightDecay.isFinite, "weight_decay")
        try need(optimizer.maxGradientNorm.map(isPositive) ?? true, "clip")
        try need(optimizer.factors.allSatisfy { $0 >= 0 && $0.isFinite }, "layer_decay or head_lr")
        try need((0..<1).contains(loss.labelSmoothing), "label_smoothing")
        let weights = loss.classWeights
        try need(
            weights.isEmpty || weights.count == head.outputs(shape) && weights.allSatisfy { $0 > 0 && $0.isFinite },
            "class_weights")
        if let source { try need(source.lambda >= 0 && source.lambda.isFinite, "lambda") }
    }
}
