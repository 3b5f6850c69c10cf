internal import CVectorMath
package import Tensors

/// How a cross-entropy weighs its classes and spreads its target, as torch.nn.CrossEntropyLoss does.
package struct LossOptions: Sendable, Equatable, Codable {
    /// Share of the target that is spread evenly over all classes.
    package var labelSmoothing: Double
    /// (C) weight of each class; empty: 1 each.
    package var classWeights: [Float]

    package init(labelSmoothing: Double = 0, classWeights: [Float] = []) {
        self.labelSmoothing = labelSmoothing
        self.classWeights = classWeights
    }

    /// The contribution of a row of this class to the normalizer: the mean divides by the sum of the weights.
    package func weight(of label: Int) -> Double { classWeights.isEmpty ? 1 : Double(classWeights[label]) }

    var isPlain: Bool { labelSmoothing == 0 && classWeights.isEmpty }
}

/// Cross-entropy of one row of logits against a class, and its gradient.
///
/// Shapes: `logits` (C). If `scale` is given, `logits` becomes d loss / d logits times `scale`.
/// - Returns: the loss, in double precision.
package func crossEntropy(_ logits: FloatView, label: Int, scale: Float?) -> Double {
    precondition(label >= 0 && label < logits.count, "class \(label) of \(logits.count)")
    return unsafe apus_cross_entropy(logits.count, logits.base, label, scale ?? 0, scale == nil ? nil : logits.base)
}

/// Cross-entropy with class weights and label smoothing.
///
/// With weights w, smoothing e and log-probabilities l: -(1 - e) w_y l_y - e / C Σ w_c l_c. Its gradient is
/// a p - (1 - e) w_y 1_y - e / C w, where a = (1 - e) w_y + e / C Σ w_c.
/// Source: torch.nn.CrossEntropyLoss; Szegedy et al. 2016, section 7.
package func crossEntropy(_ logits: FloatView, label: Int, options: LossOptions, scale: Float?) -> Double {
    guard !options.isPlain else { return crossEntropy(logits, label: label, scale: scale) }
    let count = logits.count
    precondition(
        options.classWeights.isEmpty || options.classWeights.count == count,
        "\(options.classWeights.count) weights for \(count) classes")
    func weight(_ place: Int) -> Double { options.classWeights.isEmpty ? 1 : Double(options.classWeights[place]) }
    let own = (1 - options.labelSmoothing) * weight(label)
    let spread = options.labelSmoothing / Double(count)
    let right = Double(logits[label])
    var (weights, below) = (0.0, 0.0)
    if spread > 0 {
        for place in 0..<count {
            weights += weight(place)
            below += weight(place) * (right - Double(logits[place]))
        }
    }
    let all = own + spread * weights
    let plain = crossEntropy(logits, label: label, scale: scale.map { Float(Double($0) * all) })
    if let scale {
        // The plain gradient subtracts the entire target at the right class; here that is `own`, and the rest is
        // spread.
        logits[label] += Float(Double(scale) * (all - own))
        if spread > 0 { for place in 0..<count { logits[place] -= Float(Double(scale) * spread * weight(place)) } }
    }
    return all * plain + spread * below
}

/// Binary cross-entropy of each of one row's outputs against 0 or 1, and its gradient in place if `scale` is given.
///
/// Shapes: `logits`, `targets` (C).
/// - Returns: the sum over the outputs.
package func binaryCrossEntropy(_ logits: FloatView, targets: ArraySlice<Float>, scale: Float?) -> Double {
    precondition(targets.count == logits.count, "\(targets.count) targets for \(logits.count) outputs")
    return unsafe targets.withUnsafeBufferPointer { targets in
        unsafe apus_binary_cross_entropy(
            logits.count, logits.base, targets.baseAddress, scale ?? 0, scale == nil ? nil : logits.base)
    }
}

/// Squared errors of one row's outputs, and their gradient in place if `scale` is given.
///
/// Shapes: `outputs`, `targets` (C).
/// - Returns: the sum over the outputs.
package func squaredError(_ outputs: FloatView, targets: ArraySlice<Float>, scale: Float?) -> Double {
    precondition(targets.count == outputs.count, "\(targets.count) targets for \(outputs.count) outputs")
    var loss = 0.0
    for (place, target) in targets.enumerated() {
        let difference = outputs[place] - target
        if let scale { outputs[place] = 2 * difference * scale }
        loss += Double(difference) * Double(difference)
    }
    return loss
}
