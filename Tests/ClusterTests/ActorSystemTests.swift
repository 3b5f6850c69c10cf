import Distributed
import Foundation
import Testing
import Transport

@testable import Cluster

@Suite struct ActorSystemTests {
    @Test func `the same actor answers over the local testing system`() async throws {
        let tally = Tally(actorSystem: LocalTestingDistributedActorSystem())
        #expect(try await tally.add(2) == 2)
        await #expect(throws: TallyError.negative(-1)) { try await tally.add(-1) }
    }

    @Test func `calls go both ways and keep their values`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            #expect(try await tally.add(2) == 2)
            #expect(try await tally.add(3) == 5)
            try await tally.clear()
            #expect(try await tally.add(1) == 1)
            let values = [0.1, -0.0, .leastNonzeroMagnitude, .pi, .infinity]
            #expect(try await tally.echo(values, "ü").map(\.bitPattern) == values.map(\.bitPattern))
            let back = try cluster.remoteTallyOfWorker()
            #expect(try await back.add(7) == 7)
        }
    }

    @Test func `an error of the actor is rethrown as what it was`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            await #expect(throws: TallyError.negative(-4)) { try await tally.add(-4) }
            await #expect(throws: ClusterError.remote(type: "ClusterTests.Unregistered", description: "Unregistered()"))
            { try await tally.fail() }
        }
    }

    @Test func `many calls at once are all answered`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<500 { group.addTask { _ = try await tally.add(1) } }
                try await group.waitForAll()
            }
            #expect(try await tally.add(0) == 500)
        }
    }

    @Test func `a call without an answer ends at its deadline`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            let error = await #expect(throws: ClusterError.self) {
                try await ZeroMQActorSystem.within(.milliseconds(100)) { try await tally.hold() }
            }
            guard case .deadline(_, process: "coordinator") = error else {
                return #expect(Bool(false), "\(String(describing: error))")
            }
            #expect(try await tally.release() == 1)
        }
    }

    @Test func `who is asked something answers before it ends`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            let call = Task { try await tally.hold() }
            while try await tally.waiting() == 0 { await Task.yield() }
            let end = Task { await cluster.coordinator.shutDown() }
            while !cluster.coordinator.state.withShared({ $0.isStopping }) { await Task.yield() }
            #expect(try await tally.release() == 1)
            try await call.value
            await end.value
        }
    }

    @Test func `a cancelled caller waits no longer`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            let call = Task { try await tally.hold() }
            while try await tally.waiting() == 0 { await Task.yield() }
            call.cancel()
            await #expect(throws: CancellationError.self) { try await call.value }
            #expect(try await tally.release() == 1)
        }
    }

    @Test func `calls of an ended generation are refused, those of newcomers are not`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            cluster.coordinator.generation = 4
            #expect(try await tally.add(1) == 1)
            cluster.worker.generation = 3
            await #expect(throws: ClusterError.staleGeneration(received: 3, current: 4)) { try await tally.add(1) }
            cluster.worker.generation = 4
            #expect(try await tally.add(1) == 2)
        }
    }

    @Test func `a function of another type is refused, not executed`() async throws {
        try await withCluster { cluster in
            let other = try cluster.worker.resolveOther(ActorAddress(process: "coordinator", name: "tally"))
            await #expect(throws: ClusterError.self) { try await other.add(1) }
            #expect(try await cluster.remoteTally().add(0) == 0)
        }
    }

    @Test func `an actor that is not there is named`() async throws {
        try await withCluster { cluster in
            let address = ActorAddress(process: "coordinator", name: "nobody")
            let nobody = try Tally.resolve(id: address, using: cluster.worker)
            await #expect(throws: ClusterError.noActor(address)) { try await nobody.add(1) }
            let stranger = try Tally.resolve(
                id: ActorAddress(process: "worker-0", name: "x"), using: cluster.coordinator)
            await #expect(throws: ClusterError.unknown(process: "worker-0")) { try await stranger.add(1) }
        }
    }

    @Test func `too large a call is refused before it is sent`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            let values = [Double](repeating: 0.123456789, count: 1_000_000)
            let error = await #expect(throws: ClusterError.self) { try await tally.echo(values, "x") }
            guard case .tooLarge = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
    }

    @Test func `shutting down fails the calls in progress`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTally()
            let call = Task { try await tally.hold() }
            while try await cluster.tally.waiting() == 0 { await Task.yield() }
            await cluster.worker.shutDown()
            await #expect(throws: ClusterError.shutDown) { try await call.value }
            await #expect(throws: ClusterError.shutDown) { try await tally.add(1) }
            _ = try await cluster.tally.release()
        }
    }

    @Test func `a call that came before the system ran is answered once it runs`() async throws {
        try await withCluster(runs: false) { cluster in
            let tally = try cluster.remoteTally()
            let call = Task { try await tally.add(2) }
            while cluster.coordinator.state.withShared({ $0.early.isEmpty }) { await Task.yield() }
            let run = Task { await cluster.coordinator.run() }
            #expect(try await call.value == 2)
            run.cancel()
            await run.value
        }
    }

    @Test func `a system that no longer runs cancels what it executes, and is done when that is`() async throws {
        try await withCluster(runs: false) { cluster in
            let tally = try cluster.remoteTally()
            let run = Task { await cluster.coordinator.run() }
            let call = Task { try await tally.holdUntilCancelled() }
            while cluster.coordinator.state.withShared({ $0.executing.isEmpty }) { await Task.yield() }
            run.cancel()
            await run.value
            #expect(cluster.coordinator.state.withShared { $0.executing.isEmpty })
            #expect(try await call.value)
        }
    }

    @Test func `a worker that ends is reported and its calls fail at once`() async throws {
        try await withCluster { cluster in
            let tally = try cluster.remoteTallyOfWorker()
            let call = Task { try await tally.hold() }
            while try await cluster.workersTally.waiting() == 0 { await Task.yield() }
            await cluster.worker.shutDown()
            await #expect(throws: ClusterError.lost(process: cluster.worker.process)) { try await call.value }
            #expect(await next(.lost(process: cluster.worker.process, generation: 0), in: cluster.coordinator.events))
            _ = try await cluster.workersTally.release()
        }
    }
}

/// A coordinator and a worker in one process, each with an actor named `tally`, over ipc.
struct Cluster: Sendable {
    let coordinator: ZeroMQActorSystem
    let worker: ZeroMQActorSystem
    let tally: Tally<ZeroMQActorSystem>
    let workersTally: Tally<ZeroMQActorSystem>

    /// The coordinator's actor as the worker sees it.
    func remoteTally() throws -> Tally<ZeroMQActorSystem> { try Tally.resolve(id: tally.id, using: worker) }

    /// The worker's actor as the coordinator sees it.
    func remoteTallyOfWorker() throws -> Tally<ZeroMQActorSystem> {
        try Tally.resolve(id: workersTally.id, using: coordinator)
    }
}

extension ZeroMQActorSystem {
    func resolveOther(_ id: ActorAddress) throws -> Other { try Other.resolve(id: id, using: self) }
}

/// - Parameter runs: whether both execute calls; otherwise `body` has them do so.
func withCluster(runs: Bool = true, _ body: @Sendable (Cluster) async throws -> Void) async throws {
    try await withFolder { folder in
        let context = try Context()
        var options = ControlOptions()
        options.errors = [TallyError.self]
        options.callLimit = .seconds(60)
        let endpoint = "ipc://\(folder)/control"
        let coordinator = try ZeroMQActorSystem.coordinator(
            at: endpoint, incarnation: 9, security: .plain, in: context, options: options)
        let worker = try ZeroMQActorSystem.worker(of: endpoint, security: .plain, in: context, options: options)
        let cluster = Cluster(
            coordinator: coordinator, worker: worker, tally: coordinator.named("tally") { Tally(actorSystem: $0) },
            workersTally: worker.named("tally") { Tally(actorSystem: $0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            if runs {
                group.addTask { await coordinator.run() }
                group.addTask { await worker.run() }
                try await cluster.remoteTally().clear()
            }
            try await body(cluster)
            await worker.shutDown()
            await coordinator.shutDown()
        }
    }
}

/// Gives `body` a fresh private folder and removes it afterwards.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "apus-\(UInt32.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
}

/// Reads `events` until `event` comes; false when they end before.
func next(_ event: PeerEvent, in events: AsyncStream<PeerEvent>) async -> Bool {
    for await seen in events where seen == event { return true }
    return false
}
