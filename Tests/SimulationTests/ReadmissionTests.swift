import Cluster
import Synchronization
import Testing
import Transport

@testable import Coordination

/// How a lost worker becomes a member again, message by message, over the simulated control plane.
@Suite struct ReadmissionTests {
    private static let identity = WorkerIdentity(
        version: "1", fingerprint: "f", arithmetic: 1, arithmeticName: "arithmetic 1", host: "h", hostName: "here",
        processID: 1, threads: 1)
    private let simulation = Simulation(seed: 1)
    private let control: SimulatedControlNetwork
    private let membership = Membership()
    private let coordinator: Coordinator<SimulatedControl>
    private let system: SimulatedControl
    private let thread: WorkerThread
    private let worker: Worker<SimulatedControl>

    /// A coordinator with one member, which never joins by itself after the first time.
    init() throws {
        control = SimulatedControlNetwork(simulation)
        membership.expect(Self.identity)
        let own = SimulatedProcess("coordinator", number: 1, in: simulation)
        let (system, membership) = (SimulatedControl(own, incarnation: 1, in: control), membership)
        self.system = system
        coordinator = Coordinator(membership, shape: .standard, actorSystem: system)
        let other = SimulatedProcess("worker-1", number: 2, in: simulation)
        let (plane, data) = (SimulatedControl(other, incarnation: 0, in: control), SimulatedDataNetwork(simulation))
        let thread = WorkerThread(
            threads: 1, allowList: AllowList(), surroundings: other, entered: { plane.generation = $0 },
            links: { SimulatedLinks(other, data) })
        let worker = Worker(thread, actorSystem: plane)
        (self.thread, self.worker) = (thread, worker)
        SimulatedControl.$simulation.withValue(simulation) {
            _ = Task(executorPreference: own) { await membership.readmitReturning(through: system) }
            let address = worker.id
            _ = Task(executorPreference: other) {
                let name = ActorAddress(process: "coordinator", name: "coordinator")
                try await Coordinator.resolve(id: name, using: plane).join(Self.identity, address)
            }
        }
    }

    private func run(until isDone: () -> Bool) { #expect(simulation.run(until: isDone) == .done) }
    private func settle() { #expect(simulation.run() == .quiet) }
    private var isMember: Bool { membership.members.map(\.address.process) == ["worker-1"] }

    /// The connection ends at both ends; the worker connects again later.
    private func loseConnection() {
        control.drop("worker-1")
        run { !system.isConnected(to: "worker-1") && !control.isConnected("worker-1") }
    }

    /// The connection of the member ends, and a request to join that is executed late makes it a member again.
    private func joinLate() {
        run { isMember }
        let joined = membership.members[0]
        loseConnection()
        run { membership.state.withLock { $0.silent.contains("worker-1") } }
        #expect(system.executeJoiningAgain(of: "worker-1"))
        run { !membership.isNewest(joined) }
    }

    @Test func `one whose connection was dropped is readmitted once it is heard again`() throws {
        run { isMember }
        let first = membership.members[0]
        loseConnection()
        membership.removeLost(first)
        #expect(!isMember)
        settle()
        #expect(isMember && !membership.isNewest(first))
        end()
    }

    /// A request to join is executed late and makes a silent worker a member again; a call to it fails; it is heard
    /// again, as a member; then the coordinator removes it, because of that call.
    @Test func `one that is heard again just before it is removed is readmitted`() throws {
        joinLate()
        let late = membership.members[0]
        #expect(!system.isConnected(to: "worker-1"), "a call fails here")
        settle()
        #expect(system.isConnected(to: "worker-1") && isMember && membership.isNewest(late))
        membership.removeLost(late)
        #expect(!isMember)
        settle()
        #expect(isMember && !membership.isNewest(late))
        end()
    }

    /// The same, but it is removed before it is heard again. It is then not a member, and it is not silent.
    @Test func `one that joined late and was removed is readmitted once it is heard again`() throws {
        joinLate()
        let late = membership.members[0]
        membership.removeLost(late)
        #expect(!isMember && !system.isConnected(to: "worker-1"))
        settle()
        #expect(isMember && !membership.isNewest(late))
        end()
    }

    @Test func `one that is dismissed stays away`() throws {
        run { isMember }
        let member = membership.members[0]
        settle()
        membership.remove(member)
        settle()
        #expect(!isMember)
        end()
    }

    private func end() {
        thread.end()
        settle()
        #expect(simulation.threadCount == 0)
    }
}
