import BERT
import Checkpoints
import Cluster
import Distributed
import Foundation
import Kernels
import Tensors
import Testing
import Transport

@testable import Training

extension LocalTestingDistributedActorSystem: CodableActorSystem {}

/// The coordinator's and the workers' actors over the toolchain's local testing system: no wire, the same commands.
@Suite struct LocalActorSystemTests {
    init() { BLASInformation.useOneThread() }

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
        #expect(try await cluster.digest() == alone)
        await cluster.end()
    }

    @Test func `a step out of order is refused by a typed error and changes nothing`() async throws {
        let run = try SmallRun(samples: 20)
        let inputs = try run.inputs { $0.lanes = 2 }
        let cluster = try Cluster(run, inputs, count: 1)
        let command = StepCommand(step: 1, commit: nil, batches: 1, emptyLanes: [], lossScale: Float(1).bitPattern)
        await #expect(throws: WorkerFailure.outOfOrder("a step without a generation")) { try await cluster.workers[0].run(command) }
        #expect(try await cluster.workers[0].abort() == HeldState())
        try await cluster.join()
        try await cluster.form()
        var second = command
        second.step = 2
        await #expect(throws: WorkerFailure.self) { try await cluster.workers[0].run(second) }
        #expect(try await cluster.workers[0].abort() == HeldState(run: inputs.description.id, committedStep: 0))
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
            data = DataThread(name: "apus data") { CoordinatorData(context: context, place: own, refusals: RefusalCount()) }
            threads = try (0..<count).map { WorkerThread(threads: 1, context: context, place: try place("\($0)"), allowList: AllowList()) { _ in } }
            let system = LocalTestingDistributedActorSystem()
            workers = threads.map { Worker($0, actorSystem: system) }
            let shape = ArithmeticShape(inputs.model.shape)
            membership.expect(Fingerprint.identity(shape, threads: 1))
            coordinator = Coordinator(membership, shape: shape, actorSystem: system)
            state = Replica(model: inputs.model, parameters: inputs.parameters, threads: 1).state
        }

        func join() async throws {
            let identity = Fingerprint.identity(try await coordinator.arithmetic(), threads: 1)
            for (rank, worker) in workers.enumerated() {
                try await coordinator.join(identity, ActorAddress(process: "worker-\(rank)", name: "worker"), await worker.abort())
            }
            #expect(membership.takeMembers().map(\.address.process) == workers.indices.map { "worker-\($0)" })
            var other = identity
            other.fingerprint = "other"
            await #expect(throws: JoinRefused.self) {
                try await coordinator.join(other, ActorAddress(process: "x", name: "worker"), HeldState())
            }
        }

        func form() async throws {
            var peers: [MeshPeer] = []
            for worker in workers { peers.append(try await worker.prepare(generation: 1, keys: [])) }
            peers.append(try await data.perform { try $0.prepare(generation: 1).peer })
            let count = workers.count
            let formation = Formation(
                run: inputs.description, roster: MeshRoster(generation: 1, token: 9, peers: peers), rank: count,
                lanes: LaneShares.of(laneCount: inputs.plan.laneCount, workers: count), hosts: workers.map { _ in 0 }, stateFrom: nil,
                stateTo: Array(workers.indices), step: 0, commit: nil)
            let (data, state) = (data, state)
            async let links: Void = data.perform { try $0.form(formation, sending: state) }
            let held = try await all { worker, rank in
                var own = formation
                own.rank = rank
                own.stateFrom = count
                own.stateTo = []
                return try await worker.form(own)
            }
            try await links
            #expect(held == workers.map { _ in HeldState(run: inputs.description.id, committedStep: 0) })
        }

        func step(_ step: Int) async throws {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: 1))
            let (data, samples) = (data, TrainingData(target: inputs.train, source: nil, features: nil))
            try await data.perform { try $0.feed(plan, of: samples) }
            let command = StepCommand(
                step: step, commit: nil, batches: 1, emptyLanes: plan.lanes.indices.filter { plan.lanes[$0].allSatisfy(\.isEmpty) },
                lossScale: Float(1 / Double(plan.sampleCount)).bitPattern)
            let ready = try await all { worker, _ in try await worker.run(command) }
            #expect(ready.flatMap(\.digests) == plan.lanes.map { SampleDigest.of($0) })
            #expect(Set(ready.map(\.norm)).count == 1)
            let scale = inputs.optimizer.clippingFactor(norm: Double(bitPattern: ready[0].norm))
            let commit = Commit(
                step: step,
                inputs.optimizer.update(step: step, learningRate: inputs.schedule.rate(step: step), gradientScale: scale))
            _ = try await all { worker, _ in try await worker.commit(commit) }
        }

        /// Of the last worker's parameters, as the coordinator receives them.
        func digest() async throws -> String {
            let (data, model, last) = (data, inputs.model, workers.count - 1)
            async let arriving = data.perform { try $0.receiveState(of: model, from: last) }
            try await workers[last].sendState()
            return Digests.parameters(StateFiles.tensors(try await arriving.parameters, model.layout))
        }

        func end() async {
            await data.performQuietly { $0.leaveGroup() }
            data.end()
            for thread in threads { thread.end() }
        }

        private func all<Result: Sendable>(_ call: @escaping @Sendable (LocalWorker, Int) async throws -> Result) async throws -> [Result] {
            try await withThrowingTaskGroup(of: (Int, Result).self) { group in
                for (rank, worker) in workers.enumerated() { group.addTask { (rank, try await call(worker, rank)) } }
                var results: [(Int, Result)] = []
                for try await result in group { results.append(result) }
                return results.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
    }
}
