internal import Kernels

/// The weight of the target task relative to the source task in each step: L = L_source + lambda L_target.
package struct LambdaSchedule: Sendable, Equatable {
    package var shape: LearningRateSchedule.Shape
    package var from: Double
    /// The value of the last step; ignored if the shape is constant.
    package var to: Double
    package var totalSteps: Int

    package init(shape: LearningRateSchedule.Shape, from: Double, to: Double, totalSteps: Int) {
        self.shape = shape
        self.from = from
        self.to = to
        self.totalSteps = totalSteps
    }

    /// The value for step `step`, counted from 1.
    package func value(step: Int) -> Double {
        let progress = min(1, Double(step - 1) / Double(max(1, totalSteps - 1)))
        switch shape {
        case .constant: return from
        case .linear: return from + (to - from) * progress
        case .cosine: return to + (from - to) * 0.5 * (1 + cosineOfPi(progress))
        }
    }

    /// Whether the target task never contributes.
    package var isZero: Bool { from == 0 && (shape == .constant || to == 0) }
}
