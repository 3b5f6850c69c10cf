import Cluster
import Distributed
import Tensors
import Transport

@testable import Coordination
@testable import Learning

/// A worker process: the real data thread, actor and joining, over simulated links.
final class SimulatedWorker: @unchecked Sendable {
    let own: SimulatedProcess
    private let thread: WorkerThread
    private let system: SimulatedControl
    private let worker: Worker<SimulatedControl>

    init(_ job: SimulatedJob, _ own: SimulatedProcess, _ identity: WorkerIdentity) throws {
        self.own = own
        let system = SimulatedControl(own, incarnation: 0, in: job.control)
        let data = job.data
        let thread = WorkerThread(
            threads: 1, allowList: AllowList(), bucket: SimulatedInputs.bucket, surroundings: own,
            entered: { system.generation = $0 },
            links: { SimulatedLinks(own, data) })
        let worker = Worker(thread, actorSystem: system)
        (self.system, self.thread, self.worker) = (system, thread, worker)
        own.atDeath.append { thread.end() }
        let coordinator = try Coordinator.resolve(
            id: ActorAddress(process: "coordinator", name: "coordinator"), using: system)
        let joining = Joining(
            system: system, coordinator: coordinator, worker: worker.id, thread: thread, timeout: .seconds(60),
            surroundings: own)
        SimulatedControl.$simulation.withValue(own.simulation) {
            _ = Task(executorPreference: own) { [self] in
                if let reason = await Self.serve(joining, identity, own) { job.dismissed(own, reason) }
                job.ended(self)
            }
        }
    }

    /// From joining to leaving, as in ``WorkerRun/run()``.
    /// - Returns: why the coordinator dismissed it, if it did.
    private static func serve(
        _ joining: Joining<SimulatedControl>, _ identity: WorkerIdentity, _ own: SimulatedProcess
    ) async -> String? {
        do {
            let first = try await joining.join { _ in identity }
            return try await withThrowingTaskGroup(of: String?.self) { tasks in
                tasks.addTask {
                    for await reason in joining.thread.departures { return reason }
                    return nil
                }
                tasks.addTask {
                    var joined = first
                    for await event in joining.system.events where joining.isNeeded(after: event, joined: joined) {
                        joined = try await joining.join { _ in identity }
                    }
                    return nil
                }
                defer { tasks.cancelAll() }
                return try await tasks.next() ?? nil
            }
        } catch {
            own.simulation.note("\(own.name) gives up: \(error)")
            return nil
        }
    }

    /// One bit of its weights changes, between two pieces of work.
    /// - Returns: whether it has weights.
    func changeMemory() -> Bool {
        let (place, bit) = (own.simulation.number(0...(1 << 20)), own.simulation.number(0...30))
        _ = thread.thread.begin { core in
            guard let view = core.replica?.parameters.view else { return }
            view.withMutableSpan {
                let element = place % $0.count
                $0[element] = Float(bitPattern: $0[element].bitPattern ^ (1 << UInt32(bit)))
            }
        }
        return true
    }
}
