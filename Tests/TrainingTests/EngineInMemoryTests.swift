import BERT
import Checkpoints
import Cluster
import Distributed
import Foundation
import Kernels
import Synchronization
import Testing
import Transport

@testable import Configuration
@testable import Console
@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs

/// The real coordinator and real workers in one process: whatever happens to one call, the weights are those of an
/// undisturbed run, and each step is committed once.
@Suite struct EngineInMemoryTests {
    private static let steps = 3

    private typealias Fault = InMemoryNetwork.Fault
    private typealias Call = InMemoryNetwork.Call

    private static func inputs(_ run: SmallRun) throws -> RunInputs {
        try run.inputs {
            $0.batchSize = 8
            $0.lanes = 4
        }
    }

    private static func digestOfOneProcess() async throws -> String {
        let run = try SmallRun(samples: 24)
        let inputs = try inputs(run)
        let replica = Replica(model: inputs.model, parameters: inputs.parameters, threads: 1)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        for step in 1...steps {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: 1))
            _ = try await engine.run(plan, next: nil, learningRate: inputs.schedule.rate(step: step))
        }
        return Digests.parameters(StateFiles.tensors(replica.parameters, inputs.model.layout))
    }

    @Test func `undisturbed it has the weights of one process`() async throws {
        let job = try InMemoryJob(InMemoryNetwork { _ in nil }, workers: 2, Self.inputs)
        #expect(try await job.run(steps: Self.steps) == Self.digestOfOneProcess())
        #expect(job.committed == [1, 2, 3])
        #expect(job.network.calls["worker-0 worker.run"] == 3)
        #expect(job.generations == 1)
        await job.end()
    }

    @Test(arguments: InMemoryNetwork.Fault.allCases)
    func `whatever happens to one call, the weights stay`(fault: InMemoryNetwork.Fault) async throws {
        let alone = try await Self.digestOfOneProcess()
        for name in ["prepare", "form", "run", "commit", "stateHash", "sendState"] {
            for number in 1...(name == "run" ? Self.steps : 1) {
                for worker in 0..<(name == "sendState" ? 1 : 2) {
                    let faulty = Call(process: "worker-\(worker)", name: "worker.\(name)", number: number)
                    let network = InMemoryNetwork { $0 == faulty ? fault : nil }
                    let job = try InMemoryJob(network, workers: 2, Self.inputs)
                    let digest = try await job.run(steps: Self.steps)
                    #expect(network.happened == [faulty: fault])
                    #expect(digest == alone, "\(fault) at \(faulty)")
                    #expect(job.committed == [1, 2, 3], "\(fault) at \(faulty)")
                    #expect(job.generations <= 3, "\(fault) at \(faulty)")
                    await job.end()
                }
            }
        }
    }

    /// A fault at about one call in eight, six at most. A seed decides for each call by itself, in whatever order they
    /// come.
    @Test(arguments: 1...seedCount)
    func `whatever happens to many calls, the weights stay`(seed: UInt64) async throws {
        let network = InMemoryNetwork(mostFaults: 6) { call in
            let key = "\(call)".utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
            var numbers = SeededNumbers(state: key)
            guard numbers.next() % 8 == 0 else { return nil }
            return Fault.allCases[Int(numbers.next() % UInt64(Fault.allCases.count))]
        }
        let job = try InMemoryJob(network, workers: 3, Self.inputs)
        let digest = try await job.run(steps: Self.steps)
        #expect(try await digest == Self.digestOfOneProcess(), "\(network.happened)")
        #expect(Set(job.committed) == [1, 2, 3], "\(network.happened)")
        await job.end()
    }

    /// `APUS_SEEDS` sets another number.
    private static let seedCount = ProcessInfo.processInfo.environment["APUS_SEEDS"].flatMap { UInt64($0) } ?? 12
}

/// A coordinator over workers in the same process.
private final class InMemoryJob {
    let network: InMemoryNetwork
    private let inputs: RunInputs
    private let workers: InMemoryWorkers
    private let engine: CoordinatorEngine<InMemoryControl>
    private let journal: RunJournal

    init(_ network: InMemoryNetwork, workers count: Int, _ inputs: (SmallRun) throws -> RunInputs) throws {
        let run = try SmallRun(samples: 24)
        self.inputs = try inputs(run)
        self.network = network
        let display = RunDisplay(screen: Screen(sink: SilentSink(), environment: [:]))
        let output = self.inputs.configuration.output
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: false)
        let history = try #require(JournalHistory([.run(id: 7, after: 0)]))
        journal = try RunJournal(history, isThere: false, inRun: output, display: display)
        let shape = ArithmeticShape(self.inputs.model.shape, blas: .own, precision: .float32)
        workers = try InMemoryWorkers(run, Fingerprint.identity(shape, threads: 1), network)
        engine = try CoordinatorEngine(
            inputs: self.inputs,
            source: Replica(model: self.inputs.model, parameters: self.inputs.parameters, threads: 1).state, step: 0,
            newest: self.inputs.plan.totalSteps, journal: journal, patience: nil, wanted: count,
            system: InMemoryControl("coordinator", in: network), membership: workers.membership,
            data: CoordinatorDataThread(context: workers.context, place: try workers.place("c")), display: display,
            stop: StopRequest())
        for number in 0..<count { try workers.start("worker-\(number)") }
        network.whenItHappens { [workers] in await workers.suffer($0, $1) }
    }

    /// Runs some steps.
    /// - Returns: the digest of the weights.
    func run(steps: Int) async throws -> String {
        _ = try await engine.begin(after: 0)
        let order = inputs.plan.order(ofEpoch: 1)
        for step in 1...steps {
            let next = step < steps ? inputs.plan.step(step + 1, order: order) : nil
            _ = try await engine.run(
                inputs.plan.step(step, order: order), next: next, learningRate: inputs.schedule.rate(step: step))
        }
        return Digests.parameters(StateFiles.tensors(try await engine.state().parameters, inputs.model.layout))
    }

    /// The committed steps in the journal.
    var committed: [Int] {
        journal.history.entries.compactMap { if case .committed(let done) = $0 { done.step } else { nil } }
    }

    var generations: Int {
        journal.history.entries.count { if case .generation = $0 { true } else { false } }
    }

    func end() async {
        await engine.close("")
        workers.end()
    }
}

/// Workers with threads and data links of their own, and calls in memory.
private final class InMemoryWorkers: Sendable {
    let membership = Membership()
    let context: Context
    private let run: SmallRun
    private let identity: WorkerIdentity
    private let network: InMemoryNetwork
    private let workers = Mutex<[String: InMemoryWorker]>([:])

    init(_ run: SmallRun, _ identity: WorkerIdentity, _ network: InMemoryNetwork) throws {
        self.run = run
        self.identity = identity
        self.network = network
        context = try Context()
        membership.expect(identity)
    }

    func place(_ name: String) throws -> MeshPlace {
        let folder = "\(run.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        return try MeshPlace(coordinator: "ipc://\(folder)/control", keys: nil)
    }

    func start(_ process: String) throws {
        let system = InMemoryControl(process, in: network)
        let thread = WorkerThread(threads: 1, context: context, place: try place(process), allowList: AllowList()) {
            system.generation = $0
        }
        workers.withLock {
            $0[process] = InMemoryWorker(thread: thread, actor: Worker(thread, actorSystem: system))
        }
        try join(process, HeldState())
    }

    private func join(_ process: String, _ held: HeldState) throws {
        workers.withLock { $0[process]?.joinedWith = held }
        try membership.join(identity, ActorAddress(process: process, name: "worker"), held)
    }

    /// A worker whose connection dropped joins again with its state; after one that died another one starts.
    func suffer(_ process: String, _ fault: InMemoryNetwork.Fault) async {
        guard let worker = workers.withLock({ $0[process] }) else { return }
        do {
            guard fault != .joinsAgain else { return try join(process, worker.joinedWith) }
            membership.fellSilent(process, inGeneration: .max)
            let held = await worker.thread.abort()
            guard fault.isDeath else { return try join(process, held) }
            worker.thread.end()
            try start("\(process)-again")
        } catch { Issue.record("\(error)") }
    }

    func end() { for worker in workers.withLock({ Array($0.values) }) { worker.thread.end() } }
}

private struct InMemoryWorker {
    let thread: WorkerThread
    let actor: Worker<InMemoryControl>
    /// What it last said of its state.
    var joinedWith = HeldState()
}

/// Shows nothing.
private struct SilentSink: OutputSink {
    var columns: Int? { nil }
    func isTerminal(_ stream: Screen.Stream) -> Bool { false }
    func write(_ text: String, to stream: Screen.Stream) {}
    func flush(within limit: Duration?) {}
}
