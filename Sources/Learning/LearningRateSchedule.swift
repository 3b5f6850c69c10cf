internal import Kernels

/// The learning rate of each optimizer step, as in Transformers' schedules.
package struct LearningRateSchedule: Sendable, Equatable {
    /// The course after the warm-up; the names are those of `--schedule`.
    package enum Shape: String, Codable, Sendable, CaseIterable {
        case constant
        case linear
        case cosine
    }

    package var shape: Shape
    package var peak: Double
    package var warmupSteps: Int
    package var totalSteps: Int

    package init(shape: Shape, peak: Double, warmupSteps: Int, totalSteps: Int) {
        self.shape = shape
        self.peak = peak
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The rate of step `step`, counted from 1. During warm-up it rises from 0, which is the first update's rate.
    package func rate(step: Int) -> Double {
        let done = step - 1
        if done < warmupSteps { return peak * Double(done) / Double(max(1, warmupSteps)) }
        let progress = Double(done - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
        switch shape {
        case .constant: return peak
        case .linear: return peak * max(0, 1 - progress)
        case .cosine: return peak * max(0, 0.5 * (1 + cosineOfPi(progress)))
        }
    }
}
