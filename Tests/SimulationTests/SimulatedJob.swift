import Cluster
import Foundation
import Synchronization
import Transport
import Wording

@testable import Configuration
@testable import Console
@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs

/// A job of simulated processes: the real coordinator and real workers, what a launcher does for them, and an operator.
final class SimulatedJob: @unchecked Sendable {
    let scenario: Scenario
    let shared: SimulatedInputs
    let simulation: Simulation
    let control: SimulatedControlNetwork
    let data: SimulatedDataNetwork
    let disk = SimulatedDisk()
    /// Of this job alone, however many run in this process.
    let output: String
    private(set) var coordinator: SimulatedCoordinator?
    private(set) var workers: [SimulatedWorker] = []
    /// Of the present or the next start of the job.
    private var wanted: Int
    private var processes = 0
    private var workerStarts = 0
    private var coordinatorStarts = 0
    /// The digest of the weights at the end.
    private(set) var digest: String?
    /// The time from the beginning to that digest.
    private(set) var took = Duration.zero
    /// Each step's sums of losses, in the order of the reports.
    private(set) var losses: [(step: Int, loss: Double)] = []
    /// What validation found, in the order of the reports.
    private(set) var evaluations: [(step: Int, found: SimulatedInputs.Scored)] = []
    /// Whether the coordinator scores the validation data.
    var isEvaluating = false
    /// Faults during an evaluation.
    private(set) var faultsInEvaluations = 0
    /// Whether a coordinator may have ended with what its disk did not take.
    var mayForget: Bool { disk.failures > 0 && coordinatorStarts > 1 }
    /// What the ledger said at the end of an epoch.
    private(set) var accounts: [String] = []
    /// How often the operator resumed.
    private(set) var resumptions = 0
    /// The turn before which the power fails.
    private var powerEnds = Int.max
    private(set) var happened: [Fault: Int] = [:]
    private(set) var errors: [String] = []
    private static let mostResumptions = 12
    private static let count = Atomic(0)

    init(_ scenario: Scenario, _ shared: SimulatedInputs) {
        (self.scenario, self.shared) = (scenario, shared)
        wanted = scenario.workers
        output = "\(shared.inputs.configuration.output)-\(Self.count.add(1, ordering: .relaxed).newValue)"
        simulation = Simulation(seed: scenario.seed)
        control = SimulatedControlNetwork(simulation)
        data = SimulatedDataNetwork(simulation)
    }

    /// Runs the job to its end, and on until nothing is left to do.
    func run() -> Simulation.Ending {
        try? FileManager.default.removeItem(atPath: output)
        try? FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: output) }
        var faults = scenario.faults
        simulation.beforeTurn = { [self] turn in
            for place in faults.indices where faults[place].turn <= turn && digest == nil {
                let hasHappened = suffer(faults[place].fault)
                faults[place].turn = hasHappened ? .max : turn + simulation.number(1...60)
            }
            if turn >= powerEnds, digest == nil { losePower() }
        }
        var calls = 0
        control.onCall = { [self] process, target, moment in
            guard let wanted = scenario.atCall, wanted.target == target, wanted.moment == moment else { return }
            calls += 1
            if calls == wanted.number { suffer(wanted.fault, at: workers.first { $0.own.name == process }) }
        }
        control.complain = { [self] in complain($0) }
        defer {
            control.complain = { _ in }
            simulation.beforeTurn = { _ in }
            control.onCall = { _, _, _ in }
        }
        start()
        let ending = simulation.run(until: { [self] in digest != nil || !errors.isEmpty })
        guard ending == .done, errors.isEmpty else {
            endAll()
            _ = simulation.run()
            return ending
        }
        let rest = simulation.run()
        if rest != .quiet || simulation.threadCount > 0 || control.openCalls > 0 {
            errors.append("\(simulation.threadCount) threads and \(control.openCalls) calls are left, \(rest)")
            endAll()
            _ = simulation.run()
        }
        return .done
    }

    // MARK: The launcher

    private func process(_ name: String) -> SimulatedProcess {
        processes += 1
        return SimulatedProcess(name, number: processes, in: simulation)
    }

    private func start() {
        startCoordinator()
        for _ in 0..<wanted { startWorker() }
    }

    private func startCoordinator() {
        coordinatorStarts += 1
        isEvaluating = false
        let own = process("coordinator")
        own.atDeath.append { [self] in data.died(own.name) }
        coordinator = SimulatedCoordinator(self, own, incarnation: UInt64(coordinatorStarts), wanted: wanted)
    }

    private func startWorker() {
        workerStarts += 1
        let own = process("worker-\(workerStarts)")
        own.atDeath.append { [self] in data.died(own.name) }
        var identity = shared.identity
        identity.host = "\(identity.host) \(scenario.hosts[(workerStarts - 1) % scenario.hosts.count])"
        do { workers.append(try SimulatedWorker(self, own, identity)) } catch { errors.append("\(error)") }
    }

    /// A worker ended: another one takes its place while the job runs.
    func ended(_ worker: SimulatedWorker) {
        worker.own.kill()
        guard workers.contains(where: { $0 === worker }) else { return }
        workers.removeAll { $0 === worker }
        guard digest == nil, coordinator != nil else { return }
        let coordinator = coordinator
        simulation.after(simulation.milliseconds(50...1_000)) { [self] in
            guard digest == nil, self.coordinator != nil, resumptions == (coordinator?.resumption ?? 0) else { return }
            startWorker()
        }
    }

    /// The coordinator was killed. Workers that it had dismissed are started again, too.
    private func restartCoordinator() {
        let resumption = resumptions
        simulation.after(simulation.milliseconds(50...1_000)) { [self] in
            guard digest == nil, resumptions == resumption else { return }
            startCoordinator()
            while workers.count < wanted { startWorker() }
        }
    }

    // MARK: The operator

    /// The coordinator ended by itself.
    func ended(_ coordinator: SimulatedCoordinator, _ outcome: Result<String?, any Error>) {
        coordinator.own.kill()
        guard coordinator === self.coordinator else { return }
        switch outcome {
        case .success(let digest?):
            self.digest = digest
            took = simulation.time
        case .success(nil):
            resume()
        case .failure(let error):
            simulation.note("the run ended: \(error)")
            // Whatever happens, a run waits or goes on: only a signal stops it.
            if !(error is SignalStop) { complain("the run ended: \(error)") }
            resume()
        }
    }

    /// Everything has ended, or is ended; the job is started again with another number of workers.
    private func resume() {
        endAll()
        resumptions += 1
        guard resumptions <= Self.mostResumptions else { return errors.append("resumed \(resumptions) times") }
        wanted = scenario.faults.contains { $0.fault.needsOthers } ? wanted : wanted % 4 + 1
        simulation.after(simulation.milliseconds(100...2_000)) { [self] in start() }
    }

    /// Everything ends after a time in which the disk took nothing.
    private func losePower() {
        powerEnds = .max
        disk.set(.works, for: nil, in: simulation)
        if coordinator != nil { resume() }
    }

    private func endAll() {
        let all = workers
        workers = []
        for worker in all { worker.own.kill() }
        coordinator?.own.kill()
        coordinator = nil
    }

    // MARK: Reports

    func report(_ step: Int, _ report: StepReport) {
        losses.append((step, report.lossSum))
        if let account = report.samplesOfEpoch { accounts.append(account.text) }
    }

    func report(_ step: Int, _ evaluated: Evaluated) { evaluations.append((step, SimulatedInputs.Scored(evaluated))) }

    func say(_ line: String) { simulation.note(line) }

    /// Something that no fault explains.
    func complain(_ what: String) { errors.append(what) }

    /// A worker whose process runs does not stay in the work of an ended generation.
    func dismissed(_ worker: SimulatedProcess, _ reason: String) {
        simulation.note("\(worker.name) is dismissed: \(reason)")
        let isLate = worker.wasFrozen || happened[.coordinatorFreezes] != nil || happened[.clockJumps] != nil
        if reason.contains("did not move"), !isLate { complain("\(worker.name) was dismissed: \(reason)") }
    }

    // MARK: Faults

    private var someWorker: SimulatedWorker? {
        workers.isEmpty ? nil : workers[simulation.number(0...(workers.count - 1))]
    }

    /// - Returns: whether there was something to which it could happen.
    @discardableResult
    private func suffer(_ fault: Fault, at worker: SimulatedWorker? = nil) -> Bool {
        simulation.note("FAULT \(fault.rawValue)")
        let isEvaluating = isEvaluating
        guard happens(fault, worker ?? someWorker) else { return false }
        happened[fault, default: 0] += 1
        if isEvaluating { faultsInEvaluations += 1 }
        return true
    }

    /// - Returns: whether there was something to which it could happen.
    private func happens(_ fault: Fault, _ worker: SimulatedWorker?) -> Bool {
        switch fault {
        case .workerDies:
            guard let worker else { return false }
            ended(worker)
        case .coordinatorDies:
            guard let coordinator else { return false }
            coordinator.own.kill()
            self.coordinator = nil
            restartCoordinator()
        case .allDie:
            guard coordinator != nil else { return false }
            resume()
        case .powerFails:
            guard coordinator != nil, powerEnds == .max else { return false }
            disk.set(.fails, for: nil, in: simulation)
            powerEnds = simulation.turns + simulation.number(50...500)
        case .workerFreezes:
            guard let worker else { return false }
            freeze(worker.own)
        case .coordinatorFreezes:
            guard let coordinator else { return false }
            freeze(coordinator.own)
        case .controlDrops:
            guard let worker, control.isConnected(worker.own.name) else { return false }
            control.drop(worker.own.name)
        case .controlDropsOften:
            guard let worker else { return false }
            var pause = Duration.zero
            for _ in 0..<simulation.number(3...8) {
                pause += simulation.milliseconds(20...700)
                simulation.after(pause) { [control] in control.drop(worker.own.name) }
            }
        case .dataLinkDrops:
            guard let (one, other) = pair(of: worker) else { return false }
            return data.drop(one, other)
        case .directionIsDead:
            guard let (one, other) = pair(of: worker) else { return false }
            data.deafen(one, other, for: simulation.milliseconds(100...90_000))
        case .callsAreDelayed:
            guard let worker else { return false }
            control.delay(worker.own.name, for: simulation.milliseconds(1_000...15_000))
        case .callsAreRepeated: control.repeatCalls(for: simulation.milliseconds(1_000...15_000))
        case .joinsAgain:
            guard let worker else { return false }
            return control.repeatJoining(of: worker.own.name)
        case .diskFails: disk.set(.fails, for: simulation.milliseconds(10...3_000), in: simulation)
        case .diskIsFull: disk.set(.isFull, for: simulation.milliseconds(10...3_000), in: simulation)
        case .diskWritesHalf: disk.set(.writesHalf, for: simulation.milliseconds(10...3_000), in: simulation)
        case .clockJumps: simulation.jump(by: .seconds(simulation.number(1...1_000)))
        case .memoryChanges: return worker?.changeMemory() ?? false
        case .operatorStops:
            guard let coordinator else { return false }
            coordinator.stop.request(SIGTERM)
        }
        return true
    }

    /// Too short to be noticed, long enough to be lost, or longer than anybody waits.
    private func freeze(_ process: SimulatedProcess) {
        guard !process.isFrozen else { return }
        process.freeze()
        let pauses: [Duration] = [.milliseconds(500), .seconds(5), .seconds(50), .seconds(400)]
        let pause = pauses[simulation.number(0...3)]
        simulation.after(pause) { [control] in
            process.thaw()
            control.beat(process.name)
        }
        guard pause > SimulatedControlNetwork.lossAfter else { return }
        simulation.after(SimulatedControlNetwork.lossAfter) { [control] in
            if process.isFrozen { control.fellSilent(process.name) }
        }
    }

    /// Two processes that have data links, in the order of a direction.
    private func pair(of worker: SimulatedWorker?) -> (String, String)? {
        guard let worker else { return nil }
        let others = workers.filter { $0 !== worker }.map(\.own.name) + ["coordinator"]
        let other = others[simulation.number(0...(others.count - 1))]
        return simulation.number(0...1) == 0 ? (worker.own.name, other) : (other, worker.own.name)
    }
}
