import Collectives
import Reduction
import Synchronization
import Testing
import Transport
import TransportTesting

@testable import Coordination

@Suite struct GradientExchangeTests {
    /// The system, with the names of the threads that were started.
    private final class Watched: Surroundings {
        let threads = Mutex<[String]>([])
        private let system = SystemSurroundings()

        var now: ContinuousClock.Instant { system.now }
        func sleep(for pause: Duration) async throws { try await system.sleep(for: pause) }
        func after(_ pause: Duration, _ body: @escaping @Sendable () -> Void) { system.after(pause, body) }
        func random(in range: ClosedRange<UInt64>) -> UInt64 { system.random(in: range) }
        func makeBell() -> any Bell { system.makeBell() }

        func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
            threads.withLock { $0.append(name) }
            system.startThread(name, body)
        }
    }

    private static let size = 4_096

    private static func exchange(
        _ mesh: InMemoryMesh, hosts: [Int] = [0, 1], count: Int = 3 * 4_096, isBound: Bool = false,
        in surroundings: Watched
    ) throws -> GradientExchange {
        let plan = ExchangePlan(
            laneCount: 2, lanes: [0..<1, 1..<2], hosts: hosts, count: count, cut: BucketCut(size: size))
        let links = ExchangeLinks(mesh: mesh, generation: 1)
        let memory =
            hosts == [0, 1]
            ? HostMemory(of: 0, in: plan) : HostMemory(regions: [nil, nil], isShared: true)
        return GradientExchange(
            AllReduce(plan: plan, memory: memory, links: links), canceller: try MeshCanceller { mesh.cancel() },
            isBound: isBound, surroundings: surroundings)
    }

    /// The other rank sends nothing: the exchange waits for this rank's sums, or for the other one's frames.
    @Test(arguments: [false, true]) func `a step that is given up ends its exchange, whatever that waits for`(
        isComplete: Bool
    ) throws {
        let (mesh, surroundings) = (InMemoryMesh.world(size: 2)[0], Watched())
        let exchange = try Self.exchange(mesh, in: surroundings)
        for _ in 0..<2 {
            exchange.begin(step: 1, emptyLanes: []) { .now + .seconds(600) }
            if isComplete { exchange.whenFinal?(0..<(3 * Self.size)) }
            exchange.abandon()
            // A second time, as at the end of a step that has ended, nothing happens.
            exchange.abandon()
        }
        exchange.end()
        #expect(surroundings.threads.withLock { $0 } == ["apus exchange"])
    }

    @Test func `a lost rank is reported when this rank has computed`() throws {
        let (meshes, surroundings) = (InMemoryMesh.world(size: 2), Watched())
        let exchange = try Self.exchange(meshes[0], in: surroundings)
        exchange.begin(step: 1, emptyLanes: []) { .now + .seconds(600) }
        exchange.whenFinal?(Self.size..<(3 * Self.size))
        meshes[1].close()
        exchange.whenFinal?(0..<Self.size)
        #expect(throws: ExchangeError.mesh(.lost(rank: 1))) { try exchange.finish() }
        exchange.end()
    }

    @Test func `one bucket, one host, or links of one thread need no exchange thread`() throws {
        let (mesh, surroundings) = (InMemoryMesh.world(size: 2)[0], Watched())
        let exchanges = [
            try Self.exchange(mesh, count: Self.size, in: surroundings),
            try Self.exchange(mesh, hosts: [0, 0], in: surroundings),
            try Self.exchange(mesh, isBound: true, in: surroundings),
        ]
        for exchange in exchanges {
            exchange.begin(step: 1, emptyLanes: [0, 1]) { .now + .seconds(600) }
            #expect(exchange.whenFinal == nil)
            #expect(try exchange.finish()?.parts == nil)
            exchange.end()
        }
        #expect(surroundings.threads.withLock { $0.isEmpty })
    }

    @Test func `a step without samples has no gradient`() throws {
        let (mesh, surroundings) = (InMemoryMesh.world(size: 2)[0], Watched())
        let exchange = try Self.exchange(mesh, in: surroundings)
        exchange.begin(step: 1, emptyLanes: [0, 1]) { .now + .seconds(600) }
        #expect(try exchange.finish()?.parts == nil)
        exchange.end()
    }
}
