import Cluster
import Foundation
import Synchronization
import Testing
import Transport

@testable import Coordination

/// How a worker joins, over real sockets of this process.
@Suite struct JoiningTests {
    /// After a connection dropped, the coordinator may readmit a worker by itself while that is still asking to join,
    /// and the generation may end again. The request then comes from an ended generation, and the worker asks again.
    @Test func `a worker that was readmitted into a generation that has ended asks again`() async throws {
        let run = try SmallRun(samples: 4)
        let folder = "\(run.folder)/sockets"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let membership = Membership()
        membership.expect(MembershipTests.identity)

        let context = try Context()
        let endpoint = "ipc://\(folder)/control"
        let control = try ZeroMQActorSystem.coordinator(at: endpoint, incarnation: 9, security: .plain, in: context)
        let system = try ZeroMQActorSystem.worker(of: endpoint, security: .plain, in: context)
        let coordinator = control.named("coordinator") { Coordinator(membership, shape: .standard, actorSystem: $0) }
        let place = try MeshPlace(coordinator: endpoint, keys: nil)
        let thread = WorkerThread(threads: 1, context: context, place: place, allowList: AllowList()) {
            system.generation = $0
        }
        let worker = Worker(thread, actorSystem: system)
        let joining = Joining(
            system: system, coordinator: try Coordinator.resolve(id: coordinator.id, using: system), worker: worker.id,
            thread: thread, timeout: .seconds(60))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await control.run() }
            group.addTask { await system.run() }
            let requests = Atomic(0)
            let incarnation = try await joining.join { asked in
                #expect(asked == .standard)
                let count = requests.add(1, ordering: .relaxed).newValue
                if count == 1 { (system.generation, control.generation) = (4, 5) }
                return MembershipTests.identity
            }
            #expect(incarnation == 9)
            #expect(requests.load(ordering: .relaxed) == 2)
            #expect(system.generation == 0)
            #expect(membership.members.map(\.address) == [worker.id])
            await system.shutDown()
            await control.shutDown()
        }
        thread.end()
    }
}
