internal import Checkpoints
internal import Configuration
internal import Foundation
internal import Learning
internal import TextData
internal import Wording

extension TrainingRun {
    /// The results of the run: its best epoch, its model's path, and the last epoch.
    func results(_ progress: RunProgress) -> [String] {
        guard let best = progress.best, let step = progress.bestStep else { return [] }
        let metric = inputs.metric
        func epoch(_ step: Int) -> String {
            let epoch = "epoch \(inputs.plan.epoch(ofStep: max(1, step)))"
            return inputs.configuration.evalEvery == nil ? epoch : "\(epoch), step \(step)"
        }
        let first = "best: \(epoch(step)), validation \(best.line(metric)), in \(folder.path)/model-best"
        let classes = byClass(best)
        guard let last = progress.latest, let lastStep = progress.evaluatedStep, lastStep != step else {
            return [first + ", which is also the last"] + classes
        }
        return [first] + classes
            + ["last: \(epoch(lastStep)), validation \(last.line(metric)), in \(folder.path)/model"]
    }

    /// The figures by class in a line; report and model card have the whole table.
    private func byClass(_ report: EvaluationReport) -> [String] {
        let all = report.further.byClass(names: inputs.labels?.names ?? [])
        guard !all.isEmpty else { return [] }
        let most = 12
        let shown = all.prefix(most).map { "\($0.label) \(decimal($0.f1, 4))" }.joined(separator: ", ")
        return ["best, F1 by class: \(shown)" + (all.count > most ? ", … of \(all.count)" : "")]
    }
}
