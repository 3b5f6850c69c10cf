import BERT
import Checkpoints
import Cluster
import Distributed
import Foundation
import Kernels
import Tensors
import Transport

@testable import Configuration
@testable import Console
@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs
@testable import Telemetry

/// A coordinator process: the real engine, membership, journal, checkpoints and training loop, over simulated links.
final class SimulatedCoordinator: @unchecked Sendable {
    let own: SimulatedProcess
    let stop = StopRequest()
    /// How often the operator had resumed when it began.
    let resumption: Int
    private let job: SimulatedJob
    private let system: SimulatedControl

    init(_ job: SimulatedJob, _ own: SimulatedProcess, incarnation: UInt64, wanted: Int) {
        (self.job, self.own) = (job, own)
        resumption = job.resumptions
        system = SimulatedControl(own, incarnation: incarnation, in: job.control)
        SimulatedControl.$simulation.withValue(own.simulation) {
            _ = Task(executorPreference: own) { [self] in
                var outcome: Result<String?, any Error>
                do { outcome = .success(try await coordinate(wanted)) } catch { outcome = .failure(error) }
                job.ended(self, outcome)
            }
        }
    }

    /// - Returns: the digest of the weights at the end; nil if the run was stopped.
    private func coordinate(_ wanted: Int) async throws -> String? {
        let inputs = job.shared.inputs
        let steps = SimulatedDisk.Steps(disk: job.disk, process: own)
        let display = RunDisplay(screen: Screen(sink: Lines(job: job), environment: [:]))
        let output = job.output
        // As ResumptionPoint decides.
        let found = CheckpointStore(folder: output + "/checkpoints").newestWhole().found
        let parameters = found == nil ? inputs.parameters : FloatBuffer(count: inputs.model.layout.count)
        let replica = Replica(model: inputs.model, parameters: parameters, threads: 1)
        let record = try found.map { try StateFiles.read($0.path, into: replica) }
        var progress = record?.progress ?? RunProgress()
        var history = try JournalHistory(file: RunJournal.path(inRun: output))
        if let known = history {
            if let problem = known.problem(in: inputs.plan) { throw DamagedJournal(problem: problem) }
            if known.generation == 0 || known.reached < progress.step { history = nil }
        }
        if let history {
            progress = history.progress ?? progress
            progress.step = history.reached
        }
        let first = JournalHistory([
            .run(id: own.random(in: 1...UInt64(Int64.max)), after: progress.step)
        ])
        guard let begun = history ?? first else { preconditionFailure("a history begins with its run") }
        let journal = try RunJournal(
            begun, isThere: history != nil, inRun: output, display: display, steps: steps)
        let membership = Membership()
        membership.expect(job.shared.identity)
        let shape = ArithmeticShape(inputs.model.shape, blas: .own, precision: .float32)
        let coordinator = Coordinator(membership, shape: shape, actorSystem: system)
        let (own, network) = (own, job.data)
        let data = CoordinatorDataThread(surroundings: own) { SimulatedLinks(own, network) }
        own.atDeath.append { data.thread.end() }
        let engine = try CoordinatorEngine(
            inputs: inputs, state: replica.state, step: found?.step ?? 0, newest: inputs.plan.totalSteps,
            journal: journal, patience: history == nil ? nil : .seconds(10), wanted: wanted, system: system,
            membership: membership, data: data, display: display, stop: stop, surroundings: own)
        let watched = WatchedEngine(engine, job)
        let recorder = Recorder(inputs, journal, steps, display, job)
        let readmitting = Task(executorPreference: own) { [system] in
            await membership.readmitReturning(through: system)
        }
        defer { readmitting.cancel() }
        let loop = TrainingLoop(
            plan: inputs.plan, schedule: inputs.schedule, engine: watched, recorder: recorder, stop: stop,
            checkpointEvery: nil, hasValidation: true)
        let result: Result<String?, any Error>
        do {
            let beginning = try await engine.begin(after: progress.step)
            progress.step = max(progress.step, beginning.step)
            var throughput = Throughput()
            switch try await loop.run(&progress, &throughput, saved: found?.step ?? 0) {
            case .finished:
                result = .success(SimulatedInputs.digest(try await engine.state()))
                checkBeginning(journal.history, of: engine.generation)
                checkBest(progress)
            case .stopped: result = .success(nil)
            case .failed(let step, _): throw step
            }
        } catch {
            result = .failure(error)
        }
        await engine.close("")
        withExtendedLifetime(coordinator) {}
        return try result.get()
    }
}

extension SimulatedCoordinator {
    /// The journal says with which state a generation began.
    private func checkBeginning(_ history: JournalHistory, of generation: UInt32) {
        guard case .formed(generation, let step, _) = history.formed, step <= history.reached else {
            return job.complain("the journal has \(String(describing: history.formed)), not generation \(generation)")
        }
    }
}

extension SimulatedCoordinator {
    /// Whichever processes scored, the run knows its newest validation and its best one. A validation before the newest
    /// is forgotten with a coordinator whose disk took nothing: no worker has that state any more.
    private func checkBest(_ progress: RunProgress) {
        let (all, last) = (job.shared.evaluations, job.shared.inputs.plan.totalSteps)
        let known = all.filter { $0.key == last || !job.mayForget || progress.bestStep == $0.key }
        let best = known.sorted { $0.key < $1.key }.reduce(into: (step: 0, report: EvaluationReport?.none)) {
            best, next in
            if best.report.map({ next.value.report.isBetter(than: $0) }) ?? true {
                best = (next.key, next.value.report)
            }
        }
        guard progress.latest != all[last]?.report || progress.best != best.report || progress.bestStep != best.step
        else { return }
        job.complain("step \(progress.bestStep ?? 0) is the best by validation, not step \(best.step)")
    }
}

private struct DamagedJournal: Error { let problem: String }

/// Reports each step of an engine to the job.
private final class WatchedEngine: StepEngine {
    private let engine: CoordinatorEngine<SimulatedControl>
    private let job: SimulatedJob

    init(_ engine: CoordinatorEngine<SimulatedControl>, _ job: SimulatedJob) { (self.engine, self.job) = (engine, job) }

    var workers: Int { engine.workers }
    var threads: Int { engine.threads }
    var fewestThreads: Int { engine.fewestThreads }
    func begin(after step: Int) async throws -> RunBeginning { try await engine.begin(after: step) }
    func evaluate(_ split: Split, counting scored: ScoredSamples) async throws -> Evaluated {
        job.isEvaluating = true
        defer { job.isEvaluating = false }
        return try await engine.evaluate(split, counting: scored)
    }

    func state() async throws -> TrainingState { try await engine.state() }

    func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport {
        let report = try await engine.run(plan, next: next, learningRate: learningRate)
        job.report(plan.step, report)
        return report
    }
}

/// Writes checkpoints as a run does, and nothing else.
private final class Recorder: RunRecorder {
    private let inputs: RunInputs
    private let journal: RunJournal
    private let steps: SimulatedDisk.Steps
    private let display: RunDisplay
    private let job: SimulatedJob

    init(
        _ inputs: RunInputs, _ journal: RunJournal, _ steps: SimulatedDisk.Steps, _ display: RunDisplay,
        _ job: SimulatedJob
    ) {
        (self.inputs, self.journal, self.steps, self.display, self.job) = (inputs, journal, steps, display, job)
    }

    func record(_ event: some MetricsEvent) throws {}
    func say(_ line: String) { display.say(line) }
    func sayEpoch(_ line: String, isNews: Bool) {}
    func show(_ step: ProgressMeter.Step) {}
    func showWork(_ what: String, share: (@Sendable () -> Double)?) {}
    func note(_ progress: RunProgress) { journal.add(.progress(progress)) }
    func keepScores(_ evaluated: Evaluated, _ split: Split, _ progress: RunProgress, isBest: Bool) {
        job.report(progress.step, evaluated)
    }

    func keepBest(_ state: TrainingState, _ progress: inout RunProgress) {}

    func checkpoint(_ state: TrainingState, _ progress: inout RunProgress) -> Bool {
        let record = StateFiles.Record(
            progress: progress, lanes: inputs.plan.laneCount, seed: inputs.configuration.seed,
            run: RunIdentity(data: inputs.digests), touched: state.touched.words, arithmetic: Arithmetic.description)
        let store = CheckpointStore(folder: job.output + "/checkpoints", steps: steps)
        do {
            try store.save(step: progress.step, keep: 2) { (path, steps) throws(FileError) in
                try StateFiles.write(state, record, layout: inputs.model.layout, to: path, steps: steps)
            }
        } catch {
            display.say("\(error)")
            return false
        }
        journal.restart(from: progress)
        return true
    }
}

/// What the coordinator says goes to the simulation's log.
private struct Lines: OutputSink {
    let job: SimulatedJob
    var columns: Int? { nil }
    func isTerminal(_ stream: Screen.Stream) -> Bool { false }
    func write(_ text: String, to stream: Screen.Stream) {
        job.say(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    func flush(within limit: Duration?) {}
}
