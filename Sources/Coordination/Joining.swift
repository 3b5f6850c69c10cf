package import Cluster
internal import Distributed

/// How a worker joins the run of its coordinator, and when it must join again.
package struct Joining<System: ControlPlane>: Sendable {
    package let system: System
    package let coordinator: Coordinator<System>
    /// Of this process's worker.
    package let worker: ActorAddress
    package let thread: WorkerThread
    /// How long one request to join may wait for the coordinator's answer.
    package let timeout: Duration
    package let surroundings: any Surroundings

    package init(
        system: System, coordinator: Coordinator<System>, worker: ActorAddress, thread: WorkerThread, timeout: Duration,
        surroundings: any Surroundings = SystemSurroundings()
    ) {
        self.system = system
        self.coordinator = coordinator
        self.worker = worker
        self.thread = thread
        self.timeout = timeout
        self.surroundings = surroundings
    }

    /// Asks until the coordinator admits this worker or refuses it.
    ///
    /// - Parameter identity: that of this process, at the sizes of the run's model.
    /// - Returns: the coordinator's incarnation that admitted this worker.
    /// - Throws: ``JoinRefused``, ``ClusterError``, errors of `identity`.
    package func join(_ identity: @escaping @Sendable (ArithmeticShape) throws -> WorkerIdentity) async throws -> UInt64
    {
        system.generation = 0
        // The coordinator's deadline begins once this worker is free for a generation.
        await thread.abort()
        var deadline = surroundings.now + timeout
        while true {
            let limit = deadline - surroundings.now
            do {
                try await System.within(limit) {
                    let identity = try identity(try await coordinator.arithmetic())
                    try await coordinator.join(identity, worker)
                }
                return system.incarnation
            } catch ClusterError.staleIncarnation {
                // The request was for a former coordinator; the answer named the present one.
                continue
            } catch ClusterError.staleGeneration(_, let current) {
                // The coordinator readmitted this worker by itself, into a generation that has ended.
                guard system.generation < current else { return system.incarnation }
                system.generation = 0
                await thread.abort()
                deadline = surroundings.now + timeout
            } catch ClusterError.deadline where system.isConnected(to: coordinator.id.process) {
                // It is running, and still reads its data; or it readmitted this worker by itself.
                guard system.generation == 0 else { return system.incarnation }
                await thread.abort()
                deadline = surroundings.now + timeout
            }
        }
    }

    /// Whether this worker, which the incarnation `joined` admitted, must join again after an event.
    package func isNeeded(after event: PeerEvent, joined: UInt64) -> Bool {
        switch event {
        case .coordinatorChanged(let incarnation): incarnation != joined
        // Otherwise the coordinator has readmitted this worker since then, by itself or on the last request.
        case .lost(_, let generation): generation >= system.generation
        case .found, .refused: false
        }
    }
}
