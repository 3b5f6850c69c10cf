package import Cluster
package import Distributed

/// Where workers ask to take part.
package distributed actor Coordinator<ActorSystem: CodableActorSystem> {
    private let membership: Membership
    private let shape: ArithmeticShape

    package init(_ membership: Membership, shape: ArithmeticShape, actorSystem: ActorSystem) {
        self.actorSystem = actorSystem
        self.membership = membership
        self.shape = shape
    }

    /// The sizes at which a worker takes its fingerprint before it joins.
    package distributed func arithmetic() -> ArithmeticShape { shape }

    /// Takes a worker into the next generation.
    /// - Throws: ``JoinRefused``.
    package distributed func join(_ identity: WorkerIdentity, _ worker: ActorAddress, _ held: HeldState) async throws {
        try membership.join(identity, worker, held)
    }
}
