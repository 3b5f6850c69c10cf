/// The steps of a run after which its validation data are scored: the last one of each epoch, the last one of all, and,
/// with `--eval-every`, its multiples.
package struct EvaluationSteps: Sendable {
    private let total: Int
    private let perEpoch: Int
    private let every: Int?

    package init(_ plan: TrainingPlan, every: Int?) {
        self.init(total: plan.totalSteps, perEpoch: plan.stepsPerEpoch, every: every)
    }

    init(total: Int, perEpoch: Int, every: Int?) {
        (self.total, self.perEpoch, self.every) = (total, perEpoch, every)
    }

    /// Whether an epoch or the run ends with a step.
    package func isEnd(_ step: Int) -> Bool { step > 0 && (step.isMultiple(of: perEpoch) || step >= total) }

    /// Whether a step within an epoch is one of them.
    package func isWithin(_ step: Int) -> Bool { every.map { step > 0 && step.isMultiple(of: $0) } ?? false }

    /// Whether the validation data are scored after a step.
    package func contains(_ step: Int) -> Bool { isEnd(step) || isWithin(step) }

    /// How many there are from a step on.
    /// - Complexity: O(log(total)).
    package func count(from step: Int) -> Int {
        func multiples(of number: Int, before end: Int) -> Int {
            max(0, (end - 1) / number - (max(1, step) - 1) / number)
        }
        var count = step <= total ? 1 + multiples(of: perEpoch, before: total) : 0
        if let every {
            let both = perEpoch / Self.greatestDivisor(perEpoch, every) * every
            count += multiples(of: every, before: total) - multiples(of: both, before: total)
        }
        return count
    }

    /// Source: Euclid, Elements VII.2.
    private static func greatestDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestDivisor(b, a % b) }
}
