import BERT
import Foundation
import Tensors
import Testing

@testable import Runs

/// The real coordinator and real workers in one process, with chance, time, links and threads decided by a seed:
/// docs/simulation.md.
///
/// `APUS_SEEDS` sets the number of seeds, `APUS_FIRST_SEED` the first one. A seed that fails is printed, and fails in
/// the same way with `APUS_SEEDS=1 APUS_FIRST_SEED=…`; `APUS_SEED_LOG=1` prints what happens in it.
/// Jobs run side by side, each in a folder of its own.
@Suite struct SimulationTests {
    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init)
    }

    private static let inputs = Task { try await SimulatedInputs() }
    private static let usualSeeds: UInt64 = 200
    /// Turns of an undisturbed run of three workers, two of them on one host.
    private static let usualTurns = 820

    @Test(arguments: 1...4) func `undisturbed it has the weights of one process`(workers: Int) async throws {
        let job = SimulatedJob(Scenario(seed: 1, workers: workers), try await Self.inputs.value)
        check(job)
        #expect(job.losses.map(\.step) == Array(1...SimulatedInputs.steps))
        #expect(job.evaluations.map(\.step) == [3, 6])
        #expect(job.resumptions == 0)
    }

    @Test func `every seed ends with the weights of one process, and every fault occurs often`() async throws {
        let shared = try await Self.inputs.value
        let (first, count) = (Self.variable("APUS_FIRST_SEED") ?? 1, Self.variable("APUS_SEEDS") ?? Self.usualSeeds)
        let isLogged = Self.variable("APUS_SEED_LOG") != nil
        let lanes = isLogged ? 1 : UInt64(max(1, ProcessInfo.processInfo.activeProcessorCount))
        let seen = await withTaskGroup(of: Seen.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    var seen = Seen()
                    for seed in stride(from: first + lane, to: first + count, by: Int(lanes)) {
                        let job = SimulatedJob(Scenario(seed: seed, turns: Self.usualTurns), shared)
                        if isLogged { job.simulation.log = { print($0) } }
                        check(job)
                        seen.add(job)
                        // Other tests have deadlines, and wait for this thread.
                        await Task.yield()
                    }
                    return seen
                }
            }
            return await group.reduce(into: Seen()) { $0.add($1) }
        }
        print(seen)
        if first == 1, count >= Self.usualSeeds { #expect(seen.rare == []) }
    }

    @Test func `a seed repeats exactly`() async throws {
        let shared = try await Self.inputs.value
        for seed in UInt64(1)...20 {
            let jobs = (0..<2).map { _ in SimulatedJob(Scenario(seed: seed, turns: Self.usualTurns), shared) }
            for job in jobs { check(job) }
            await Task.yield()
            #expect(jobs[0].simulation.trace == jobs[1].simulation.trace, "\(jobs[0].scenario)")
            #expect(jobs[0].simulation.time == jobs[1].simulation.time, "\(jobs[0].scenario)")
        }
    }

    /// The turn of a fault is not left to chance: each call of a worker, as it arrives and as it is answered.
    @Test(arguments: [
        Fault.workerDies, .coordinatorDies, .allDie, .workerFreezes, .coordinatorFreezes, .controlDrops,
        .dataLinkDrops, .joinsAgain, .operatorStops,
    ])
    func `whatever happens at one call, the weights stay`(fault: Fault) async throws {
        let shared = try await Self.inputs.value
        // Of both workers together: the numbers of a call's first and some later times.
        let calls = [
            ("prepare", [1, 2]), ("form", [1, 2]), ("step", [1, 2, 7, 12]), ("commit", [1, 2]), ("stateHash", [1, 2]),
            ("evaluate", [1, 2, 3, 4]), ("sendState", [1]),
        ]
        for (name, numbers) in calls {
            for number in numbers {
                for moment in [SimulatedControlNetwork.Moment.arrives, .isAnswered] {
                    var scenario = Scenario(seed: UInt64(number), workers: 2)
                    scenario.atCall = ("worker.\(name)", number, moment, fault)
                    let job = SimulatedJob(scenario, shared)
                    check(job)
                    await Task.yield()
                    // In simulated time: no wait for a link outlasts its generation.
                    #expect(fault != .workerDies || job.took < .seconds(15), "\(job.took), \(scenario)")
                    // A link can be dropped only after a generation is formed.
                    #expect(job.happened == [fault: 1] || fault == .dataLinkDrops, "\(scenario)")
                }
            }
        }
    }

    /// Gradients in one bucket and in several, within a host and between hosts.
    @Test(arguments: Way.allCases)
    func `every way to train has the weights of one process, whoever shares memory`(way: Way) async throws {
        let shared = try await SimulatedInputs(way.change)
        #expect(shared.inputs.model.layout.denseCount > SimulatedInputs.bucket || way == .unfreezing)
        for hosts in [[0], [0, 0], [0, 1], [0, 1, 2], [0, 0, 1], [0, 1, 0, 1], [0, 1, 2, 3, 4]] {
            let job = SimulatedJob(Scenario(seed: 1, workers: hosts.count, hosts: hosts), shared)
            #expect(job.run() == .done, "\(hosts)")
            #expect(job.errors == [], "\(hosts)")
            #expect(job.digest == shared.digest, "\(hosts)")
            for (step, loss) in job.losses { #expect(loss == shared.losses[step - 1], "step \(step) on \(hosts)") }
            await Task.yield()
        }
    }

    /// One digest, the same loss of each step and the same scores however often they were computed, each sample once,
    /// nothing left.
    private func check(_ job: SimulatedJob) {
        let ending = job.run()
        let scenario = job.scenario
        #expect(ending == .done, "\(scenario)")
        #expect(job.errors == [], "\(scenario)")
        #expect(job.digest == job.shared.digest, "\(scenario)")
        for (step, loss) in job.losses { #expect(loss == job.shared.losses[step - 1], "step \(step), \(scenario)") }
        for (step, found) in job.evaluations {
            #expect(found == job.shared.evaluations[step], "validation after step \(step), \(scenario)")
        }
        for account in job.accounts {
            #expect(account.hasPrefix("12 of 12 samples computed, each exactly once"), "\(scenario): \(account)")
        }
    }
}

/// In how many of many runs each item of the fault model occurred.
private struct Seen: CustomStringConvertible, Sendable {
    private var runs = 0
    private var counts: [String: Int] = [:]
    private(set) var seconds = 0.0

    private static let all =
        Fault.allCases.map(\.rawValue) + SimulatedControlNetwork.Effect.allCases.map { "\($0)" }
        + [
            "faultInEvaluation", "evaluatedAgain", "overtakenFrame", "failedFileStep", "halfWrite", "resumption",
            "stepComputedAgain",
        ]

    mutating func add(_ job: SimulatedJob) {
        runs += 1
        for (fault, count) in job.happened { add(fault.rawValue, count) }
        for (effect, count) in job.control.effects { add("\(effect)", count) }
        add("faultInEvaluation", job.faultsInEvaluations)
        add("evaluatedAgain", job.evaluations.count - job.shared.evaluations.count)
        add("overtakenFrame", job.data.overtaken)
        add("failedFileStep", job.disk.failures)
        add("halfWrite", job.disk.halfWrites)
        add("resumption", job.resumptions)
        add("stepComputedAgain", job.losses.count - SimulatedInputs.steps)
        seconds += job.simulation.time / .seconds(1)
    }

    mutating func add(_ other: Seen) {
        runs += other.runs
        counts.merge(other.counts, uniquingKeysWith: +)
        seconds += other.seconds
    }

    private mutating func add(_ item: String, _ count: Int) { if count > 0 { counts[item, default: 0] += 1 } }

    /// Items that occurred in less than a twentieth of the runs.
    var rare: [String] { Self.all.filter { (counts[$0] ?? 0) * 20 < runs } }

    var description: String {
        "of \(runs) runs: " + Self.all.map { "\($0) \(counts[$0] ?? 0)" }.joined(separator: ", ")
            + "; \(Int(seconds)) simulated seconds"
    }
}
