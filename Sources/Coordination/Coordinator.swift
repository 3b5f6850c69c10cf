package import Cluster
package import Distributed

/// The actor that workers ask to join.
package distributed actor Coordinator<ActorSystem: CodableActorSystem> {
    private let membership: Membership
    private let shape: ArithmeticShape

    package init(_ membership: Membership, shape: ArithmeticShape, actorSystem: ActorSystem) {
        self.actorSystem = actorSystem
        self.membership = membership
        self.shape = shape
    }

    /// The sizes for a worker's fingerprint before it joins.
    package distributed func arithmetic() -> ArithmeticShape { shape }

    /// Admits a worker to the next generation.
    /// - Throws: ``JoinRefused``.
    package distributed func join(_ identity: WorkerIdentity, _ worker: ActorAddress) async throws {
        try membership.join(identity, worker)
    }
}
