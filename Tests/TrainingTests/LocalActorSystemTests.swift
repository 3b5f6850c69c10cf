import BERT
import Checkpoints
import Cluster
import Distributed
import Foundation
import Kernels
import Reduction
import Testing
import Transport

@testable import Configuration
@testable import Coordination
@testable import Files
@testable import Learning
@testable import Runs

extension LocalTestingDistributedActorSystem: CodableActorSystem {}

/// The coordinator's and the workers' actors over the toolchain's local testing system: no wire, the same commands.
@Suite struct LocalActorSystemTests {
    typealias LocalWorker = Worker<LocalTestingDistributedActorSystem>

    @Test(arguments: [1, 2, 3])
    func `workers that are joined, formed and stepped by calls have the state of one process`(count: Int) async throws {
        let (run, reference) = (try SmallRun(samples: 20), try SmallRun(samples: 20))
        func inputs(_ run: SmallRun) throws -> RunInputs {
            try run.inputs {
                $0.batchSize = 8
                $0.lanes = 4
            }
        }
        let alone = try await Self.digestOfOneProcess(inputs(reference))
        let inputs = try inputs(run)
        let cluster = try Cluster(run, inputs, count: count)
        try await cluster.join()
        try await cluster.form()
        for step in 1...3 { try await cluster.step(step) }
        #expect(try await cluster.digest(after: 3) == alone)
        await cluster.end()
    }

    @Test func `a step out of order is refused by a typed error and changes nothing`() async throws {
        let run = try SmallRun(samples: 20)
        let inputs = try run.inputs { $0.lanes = 2 }
        let cluster = try Cluster(run, inputs, count: 1)
        let command = StepCommand(step: 1, commit: nil, batches: 1, emptyLanes: [], lossScale: Float(1).bitPattern)
        await #expect(throws: WorkerFailure.outOfOrder("a step without a generation")) {
            try await cluster.workers[0].step(command)
        }
        #expect(try await cluster.workers[0].prepare(generation: 1, keys: []).held == HeldState())
        try await cluster.join()
        try await cluster.form()
        var second = command
        second.step = 2
        await #expect(throws: WorkerFailure.self) { try await cluster.workers[0].step(second) }
        let held = try await cluster.workers[0].prepare(generation: 2, keys: []).held
        #expect(held.has(inputs.description.id, step: 0) && held.hash != nil)
        await cluster.end()
    }

    /// Whatever a coordinator believes of a worker's state, no state gets another step's name.
    @Test func `a generation that begins with a state that a worker no longer has is refused`() async throws {
        let (run, reference) = (try SmallRun(samples: 20), try SmallRun(samples: 20))
        func inputs(_ run: SmallRun) throws -> RunInputs {
            try run.inputs {
                $0.batchSize = 8
                $0.lanes = 4
            }
        }
        let alone = try await Self.digestOfOneProcess(inputs(reference))
        let inputs = try inputs(run)
        let cluster = try Cluster(run, inputs, count: 2)
        try await cluster.join()
        try await cluster.form()
        try await cluster.step(1)
        // The connection drops, and the worker joins again.
        try await cluster.workers[0].abort()
        try await cluster.join(0)
        try await cluster.form(2, having: 1)
        try await cluster.step(2)
        var mistaken = try await cluster.prepare(3, having: 1)
        for (rank, worker) in cluster.workers.enumerated() {
            mistaken.rank = rank
            let formation = mistaken
            let failure = await #expect(throws: WorkerFailure.self) { try await worker.form(formation) }
            if case .outOfOrder = failure { continue }
            Issue.record("\(String(describing: failure))")
        }
        let held = try await cluster.workers.asyncMap { try await $0.prepare(generation: 4, keys: []).held }
        let start = try #require(GenerationStart(held, run: inputs.description.id, known: [], floor: 0))
        #expect(start.step == 2 && start.ways == [.has, .has])
        try await cluster.form(5, having: start.step)
        try await cluster.step(3)
        #expect(try await cluster.digest(after: 3) == alone)
        await cluster.end()
    }

    private static func digestOfOneProcess(_ inputs: RunInputs) async throws -> String {
        let replica = Replica(model: inputs.model, parameters: inputs.parameters, threads: 1)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        for step in 1...3 {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: 1))
            _ = try await engine.run(plan, next: nil, learningRate: inputs.schedule.rate(step: step))
        }
        return Digests.parameters(StateFiles.tensors(replica.parameters, inputs.model.layout))
    }

    /// A coordinator's data thread and workers with threads and links of their own, all in this process.
    private struct Cluster {
        let inputs: RunInputs
        let membership = Membership()
        let coordinator: Coordinator<LocalTestingDistributedActorSystem>
        let workers: [LocalWorker]
        private let threads: [WorkerThread]
        private let data: DataThread<CoordinatorData>
        private let state: TrainingState

        init(_ run: SmallRun, _ inputs: RunInputs, count: Int) throws {
            self.inputs = inputs
            let context = try Context()
            func place(_ name: String) throws -> MeshPlace {
                let folder = "\(run.folder)/\(name)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                return try MeshPlace(coordinator: "ipc://\(folder)/control", keys: nil)
            }
            let own = try place("c")
            data = DataThread(name: "apus data") {
                CoordinatorData(context: context, place: own, refusals: RefusalCount())
            }
            threads = try (0..<count).map {
                WorkerThread(threads: 1, context: context, place: try place("\($0)"), allowList: AllowList()) { _ in }
            }
            let system = LocalTestingDistributedActorSystem()
            workers = threads.map { Worker($0, actorSystem: system) }
            let shape = ArithmeticShape(inputs.model.shape, blas: .own, precision: .float32)
            membership.expect(Fingerprint.identity(shape, threads: 1))
            coordinator = Coordinator(membership, shape: shape, actorSystem: system)
            state = Replica(model: inputs.model, parameters: inputs.parameters, threads: 1).state
        }

        static func address(_ rank: Int) -> ActorAddress { ActorAddress(process: "worker-\(rank)", name: "worker") }

        func join(_ rank: Int) async throws {
            let identity = Fingerprint.identity(try await coordinator.arithmetic(), threads: 1)
            try await coordinator.join(identity, Self.address(rank))
        }

        func join() async throws {
            let identity = Fingerprint.identity(try await coordinator.arithmetic(), threads: 1)
            for rank in workers.indices { try await coordinator.join(identity, Self.address(rank)) }
            #expect(membership.takeMembers().map(\.address.process) == workers.indices.map { "worker-\($0)" })
            var other = identity
            other.fingerprint = "other"
            await #expect(throws: JoinRefused.self) {
                try await coordinator.join(other, ActorAddress(process: "x", name: "worker"))
            }
        }

        /// Prepares a generation and returns the workers' formations, as the coordinator, whose rank is the last.
        ///
        /// - Parameter step: after which they are taken to have the state; nil where they get the coordinator's.
        func prepare(_ generation: UInt32, having step: Int?) async throws -> Formation {
            var peers: [MeshPeer] = []
            for worker in workers { peers.append(try await worker.prepare(generation: generation, keys: []).peer) }
            peers.append(try await data.perform { try $0.prepare(generation: generation).peer })
            let count = workers.count
            return Formation(
                run: inputs.description, roster: MeshRoster(generation: generation, token: 9, peers: peers),
                rank: count,
                lanes: LaneAssignment(laneCount: inputs.plan.laneCount, workers: count).lanes,
                hosts: workers.map { _ in 0 }, stateFrom: nil,
                stateTo: step == nil ? Array(workers.indices) : [], step: step ?? 0, commit: nil)
        }

        func form(_ generation: UInt32 = 1, having step: Int? = nil) async throws {
            let formation = try await prepare(generation, having: step)
            let (data, state, count) = (data, state, workers.count)
            async let links: Void = data.perform { try $0.form(formation, sending: step == nil ? state : nil) }
            let held = try await all { worker, rank in
                var own = formation
                own.rank = rank
                own.stateFrom = step == nil ? count : nil
                own.stateTo = []
                return try await worker.form(own)
            }
            try await links
            #expect(held.allSatisfy { $0.has(inputs.description.id, step: step ?? 0) })
            #expect(Set(held.map(\.hash)).count == 1)
        }

        func step(_ step: Int) async throws {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: 1))
            let (data, samples) = (data, TrainingData(target: inputs.train, source: nil, features: nil))
            try await data.perform { try $0.feed(plan, of: samples) }
            let command = StepCommand(
                step: step, commit: nil, batches: 1,
                emptyLanes: plan.lanes.indices.filter { plan.lanes[$0].allSatisfy(\.isEmpty) },
                lossScale: Float(1 / Double(plan.sampleCount)).bitPattern)
            let ready = try await all { worker, _ in try await worker.step(command) }
            #expect(ready.flatMap(\.digests) == plan.lanes.map { SampleDigest.of($0) })
            #expect(Set(ready.map(\.norm)).count == 1)
            let scale = inputs.optimizer.clippingFactor(norm: Double(bitPattern: ready[0].norm))
            let commit = Commit(
                step: step,
                inputs.optimizer.update(
                    step: step, learningRate: inputs.schedule.rate(step: step), gradientScale: scale))
            _ = try await all { worker, _ in try await worker.commit(commit) }
        }

        /// Of the last worker's parameters, as the coordinator receives them.
        func digest(after step: Int) async throws -> String {
            let (data, model, last) = (data, inputs.model, workers.count - 1)
            async let arriving = data.perform { try $0.receiveState(of: model, after: step, from: last) }
            try await workers[last].sendState()
            return Digests.parameters(StateFiles.tensors(try await arriving.parameters, model.layout))
        }

        func end() async {
            await data.performQuietly { $0.leaveGroup() }
            data.end()
            for thread in threads { thread.end() }
        }

        private func all<Result: Sendable>(_ call: @escaping @Sendable (LocalWorker, Int) async throws -> Result)
            async throws -> [Result]
        {
            try await withThrowingTaskGroup(of: (Int, Result).self) { group in
                for (rank, worker) in workers.enumerated() { group.addTask { (rank, try await call(worker, rank)) } }
                var results: [(Int, Result)] = []
                for try await result in group { results.append(result) }
                return results.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
    }
}

extension [Worker<LocalTestingDistributedActorSystem>] {
    /// One after the other.
    fileprivate func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
