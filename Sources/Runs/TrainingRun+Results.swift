internal import Checkpoints
internal import Configuration
internal import Foundation
internal import Learning

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
        guard let last = progress.latest, let lastStep = progress.evaluatedStep, lastStep != step else {
            return [first + ", which is also the last"]
        }
        return [first, "last: \(epoch(lastStep)), validation \(last.line(metric)), in \(folder.path)/model"]
    }
}
