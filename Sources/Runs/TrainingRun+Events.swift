internal import Checkpoints
internal import Foundation
internal import Learning
internal import Reports
package import Telemetry
internal import Wording

/// What the run's metrics tell in addition to steps and evaluations.
extension TrainingRun {
    package func record(_ event: any MetricsEvent) {
        // An event without a JSON form would be a defect, and is not worth a run.
        try? recorder.record(event)
    }

    func noteStart(_ engine: any StepEngine, after step: Int) {
        record(
            StartEvent(
                afterStep: step, totalSteps: inputs.plan.totalSteps, stepsPerEpoch: inputs.plan.stepsPerEpoch,
                epochs: inputs.plan.begunEpochs, lanes: inputs.plan.laneCount,
                threads: engine is SingleProcessEngine ? engine.threads : nil,
                host: ProcessInfo.processInfo.hostName, process: Int(getpid()), version: Build.version,
                time: Date.now.formatted(.iso8601)))
    }

    /// The pace of a run that several processes ran, one after the other.
    struct WholeSpeed {
        let steps: Int
        let seconds: Double
        let samples: Double
        let tokens: Double

        var text: String {
            "all \(counted(steps, "step")) of the run, by all its processes: \(decimal(seconds, 1)) s, "
                + "\(decimal(samples, 1)) samples/s"
        }
    }

    /// - Returns: nil if this process ran all steps, or the metrics do not tell of each.
    func wholeSpeed(until last: Int) -> WholeSpeed? {
        var follower = MetricsFollower(folder.path + "/metrics.jsonl")
        _ = follower.refresh()
        let steps = follower.events.steps
        let seconds = steps.reduce(0) { $0 + $1.seconds }
        guard follower.events.processes > 1, steps.count == last, seconds.isFinite, seconds > 0 else { return nil }
        return WholeSpeed(
            steps: last, seconds: seconds, samples: steps.reduce(0) { $0 + Double($1.samples) } / seconds,
            tokens: steps.reduce(0) { $0 + Double($1.tokens) } / seconds)
    }
}
