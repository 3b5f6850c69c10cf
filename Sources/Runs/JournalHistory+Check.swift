package import Learning

extension JournalHistory {
    /// A statement that no run of this plan can have written; nil if the run can continue from this history.
    ///
    /// A complete entry has the right digest, but any process may have written it: its numbers are used as counts and
    /// indices, so they are checked first.
    package func problem(in plan: TrainingPlan) -> String? {
        func isStep(_ step: Int) -> Bool { (0...plan.totalSteps).contains(step) }
        if let unreadableFormat {
            return "it is of format \(unreadableFormat), this build reads formats 1 to \(JournalEntry.format)"
        }
        guard unknownCount == 0 else { return "it has \(unknownCount) entries that this build does not know" }
        guard reached <= plan.totalSteps else { return "it is after step \(reached), the run has \(plan.totalSteps)" }
        guard isStep(base) else { return "it begins after step \(base)" }
        guard generation < .max / 2 else { return "it counts \(generation) generations" }
        var place = base
        for entry in entries {
            switch entry {
            case .run, .generation, .renamed: continue
            case .formed(_, let after, _):
                guard isStep(after) else { return "a generation began after step \(after)" }
            case .committed(let done):
                guard isStep(done.step), done.step == place || done.step == place + 1 else {
                    return "it has step \(done.step) of \(plan.totalSteps) after step \(place)"
                }
                place = done.step
            case .counted(let from, let through):
                guard from == place + 1, from <= through, isStep(through) else {
                    return "it counts steps \(from) to \(through) of \(plan.totalSteps) after step \(place)"
                }
                place = through
            case .moved(let to):
                guard isStep(to) else { return "it continues after step \(to) of \(plan.totalSteps)" }
                place = to
            case .progress(let progress):
                if let problem = progress.problem(in: plan) { return problem }
            }
        }
        return nil
    }
}

extension RunProgress {
    /// A result that no run of this plan, of any length, can have reached; nil if all are possible.
    package func problem(in plan: TrainingPlan) -> String? {
        let mostSteps = plan.stepsPerEpoch * Int(Int32.max)
        guard (0...mostSteps).contains(step) else { return "it is after step \(step)" }
        guard (0...(step / max(1, plan.stepsPerEpoch) + 1)).contains(evaluatedEpochs) else {
            return "\(evaluatedEpochs) epochs scored after step \(step)"
        }
        for scored in [bestStep, evaluatedStep, evaluatedSourceStep] {
            guard let scored, !(0...mostSteps).contains(scored) else { continue }
            return "step \(scored) is scored"
        }
        if let evaluationsSinceBest, evaluationsSinceBest < 0 {
            return "\(evaluationsSinceBest) evaluations came after the best one"
        }
        return nil
    }
}
