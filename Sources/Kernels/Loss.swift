internal import CVectorMath
package import Tensors

/// Cross-entropy of one row of logits against a class, and its gradient.
///
/// Shapes: `logits` (C). Where `scale` is given, `logits` becomes d loss / d logits times `scale`.
/// - Returns: the loss, in double precision.
package func crossEntropy(_ logits: FloatView, label: Int, scale: Float?) -> Double {
    precondition(label >= 0 && label < logits.count, "class \(label) of \(logits.count)")
    return unsafe apus_cross_entropy(logits.count, logits.base, label, scale ?? 0, scale == nil ? nil : logits.base)
}

/// Squared error of one output, and its gradient in place where `scale` is given.
package func squaredError(_ output: FloatView, target: Float, scale: Float?) -> Double {
    precondition(output.count == 1, "one output, not \(output.count)")
    let difference = output[0] - target
    if let scale { output[0] = 2 * difference * scale }
    return Double(difference) * Double(difference)
}
