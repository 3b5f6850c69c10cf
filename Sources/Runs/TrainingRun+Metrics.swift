internal import Checkpoints
internal import Console
internal import Files
internal import Learning
internal import Telemetry
internal import Wording

/// What metrics.jsonl keeps of a run that goes on, and what the journal gives back to it.
extension TrainingRun {
    /// Keeps in metrics.jsonl the lines before `progress`, each step once; adds steps that only the journal has.
    /// - Returns: its steps.
    @discardableResult
    func trimMetrics(to progress: RunProgress, _ history: JournalHistory?) throws -> Set<Int> {
        var told: Set<Int> = []
        let late = folder.trimMetrics { event in
            let step = event["step"]?.integer ?? 0
            guard step <= progress.step else { return false }
            if event["event"]?.string == "step" { return told.insert(step).inserted }
            switch event["split"]?.string.flatMap(Split.init) {
            case .validation: return step <= progress.evaluatedStep ?? 0
            case .sourceValidation: return step <= progress.evaluatedSourceStep ?? 0
            default: return true
            }
        }
        if let late { display.say(FileRecorder.fellBehind(late)) }
        for case .committed(let done) in history?.entries ?? []
        where done.step <= progress.step && told.insert(done.step).inserted {
            let plan = inputs.plan.step(
                done.step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: done.step)))
            try recorder.record(event(plan, StepReport(done.commit), seconds: done.seconds))
        }
        return told
    }

    private func event(_ plan: StepPlan, _ report: StepReport, seconds: Double) -> StepEvent {
        StepEvent(plan, report, learningRate: inputs.schedule.rate(step: plan.step), seconds: seconds)
    }

    /// Takes over the steps of an earlier coordinator, including those that its journal lost and its workers have.
    func takeOver(_ beginning: RunBeginning, _ history: JournalHistory, _ progress: inout RunProgress) throws {
        let known = progress.step
        progress.step = max(known, beginning.step)
        var told = try trimMetrics(to: progress, history)
        if let newest = beginning.newest, beginning.step > known, told.insert(beginning.step).inserted {
            let plan = inputs.plan.step(
                beginning.step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: beginning.step)))
            try recorder.record(event(plan, newest, seconds: 0))
        }
        sayLost(told, until: progress.step, "with the earlier coordinator")
    }

    func sayLost(_ told: Set<Int>, until last: Int, _ how: String) {
        let lost = (1..<(last + 1)).filter { !told.contains($0) }
        if let first = lost.first {
            display.say("metrics.jsonl lost the lines of \(counted(lost.count, "step")) from \(first) on \(how)")
        }
    }
}
