import Checkpoints
import Tensors
import Testing

@testable import Configuration
@testable import Console
@testable import Files
@testable import Learning
@testable import Runs
@testable import Telemetry

/// A stop that is requested while data are scored, or while the output of a frozen encoder is computed.
@Suite struct StoppedEvaluationTests {
    /// Requests a stop when an evaluation begins, and keeps the progress of the checkpoints.
    private final class StoppingRecorder: RunRecorder {
        let stop: StopRequest
        /// Which evaluation to stop, from 1; 0 for none.
        let number: Int
        private var begun = 0
        private(set) var checkpoints: [RunProgress] = []
        private(set) var scored: [Int] = []

        init(_ stop: StopRequest, evaluation number: Int) { (self.stop, self.number) = (stop, number) }

        func record(_ event: some MetricsEvent) {
            if let event = event as? EvaluationEvent { scored.append(event.step) }
        }
        func say(_ line: String) {}
        func sayEpoch(_ line: String, isNews: Bool) {}
        func show(_ step: ProgressMeter.Step) {}
        func showWork(_ what: String, share: (@Sendable () -> Double)?) {
            guard what.contains("scoring") else { return }
            begun += 1
            if begun == number { stop.request(2) }
        }
        func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool {
            checkpoints.append(progress)
            return true
        }
        func note(_ progress: RunProgress) {}
        func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool) {}
        func keepBest(_ state: TrainingState, _ progress: inout RunProgress) { progress.keptBestStep = progress.step }
    }

    /// One process of a run: its loop's outcome, with the progress and the weights that it leaves.
    private func run(
        _ inputs: RunInputs, _ replica: Replica, _ progress: inout RunProgress, stopping number: Int = 0
    ) async throws -> (outcome: TrainingLoop.Outcome, recorder: StoppingRecorder, digest: String) {
        let stop = StopRequest()
        let recorder = StoppingRecorder(stop, evaluation: number)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false, stop: stop)
        let loop = TrainingLoop(
            plan: inputs.plan, schedule: inputs.schedule, engine: engine, recorder: recorder, stop: stop,
            checkpointEvery: nil, hasValidation: true, evalEvery: inputs.configuration.evalEvery)
        var throughput = Throughput()
        let outcome = try await loop.run(&progress, &throughput, saved: progress.step)
        let state = try await engine.state()
        return (outcome, recorder, Digests.parameters(inputs.exportedTensors(state.parameters)))
    }

    private func replica(_ inputs: RunInputs) -> Replica {
        Replica(model: inputs.model, parameters: inputs.parameters, threads: inputs.configuration.threads)
    }

    /// Two epochs of three steps, scored after steps 2, 3, 4 and 6.
    @Test(arguments: [(1, 2), (2, 3), (3, 4), (4, 6)])
    func `a stop ends an evaluation, and the next process begins with it`(evaluation: Int, step: Int) async throws {
        let small = try SmallRun(samples: 70)
        // Steps change the parameters that were read.
        func inputs() throws -> RunInputs {
            try small.inputs { ($0.epochs, $0.evalEvery, $0.validation) = (2, 2, $0.train) }
        }
        var undisturbed = RunProgress()
        let others = try inputs()
        let whole = try await run(others, replica(others), &undisturbed)
        #expect(whole.outcome == .finished)
        #expect(whole.recorder.scored == [2, 3, 4, 6])

        var progress = RunProgress()
        let inputs = try inputs()
        let state = replica(inputs)
        let first = try await run(inputs, state, &progress, stopping: evaluation)
        #expect(first.outcome == .stopped(signal: 2, isScored: false))
        #expect(progress.step == step)
        #expect(first.recorder.checkpoints.last == progress)
        let second = try await run(inputs, state, &progress)
        #expect(second.outcome == .finished)
        #expect(first.recorder.scored + second.recorder.scored == [2, 3, 4, 6])
        #expect(second.digest == whole.digest)
        #expect(progress.bestStep == undisturbed.bestStep && progress.latest == undisturbed.latest)
    }

    @Test func `a stop ends the output of a frozen encoder before the first step`() async throws {
        let small = try SmallRun(samples: 70)
        let inputs = try small.inputs { ($0.freeze, $0.dropout, $0.validation) = (["encoder"], 0, $0.train) }
        let stop = StopRequest()
        stop.request(15)
        let replica = replica(inputs)
        #expect(throws: StoppedBetweenSteps(signal: 15)) {
            try Evaluation.features(
                of: inputs.train, runner: LaneRunner(model: inputs.model, laneCount: 1, threads: 2),
                parameters: replica.parameters.view, stop: stop)
        }
    }
}
