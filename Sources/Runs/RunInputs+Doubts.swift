internal import Configuration
internal import Learning
internal import Wording

extension RunInputs {
    /// Options that have no effect in this run, or a smaller one than their values say: one line each.
    static func doubts(_ configuration: TrainingConfiguration, _ plan: TrainingPlan) -> [String] {
        let steps = plan.totalSteps
        let run = "the run of \(counted(steps, "step"))"
        var lines: [String] = []
        if case .steps(let count) = configuration.warmupSteps, count > steps, configuration.learningRate > 0 {
            let share = 100 * Double(steps) / Double(count)
            lines.append(
                "--warmup-steps \(count) is longer than \(run): the learning rate ends at \(decimal(share, 1)) % of "
                    + "--learning-rate")
        }
        if let every = configuration.evalEvery, every > steps {
            lines.append("--eval-every \(every) is longer than \(run): only the ends of epochs are scored")
        }
        let evaluations = EvaluationSteps(plan, every: configuration.evalEvery).count(from: 1)
        // The first evaluation is the best one so far, and after the last one the run ends anyway.
        if let patience = configuration.patience, evaluations < patience + 2 {
            lines.append(
                "--patience \(patience) cannot end this run early: it is scored \(counted(evaluations, "time"))")
        }
        return lines
    }
}
