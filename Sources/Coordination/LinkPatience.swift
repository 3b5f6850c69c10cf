/// How long the links of a generation may take to form. Pure.
///
/// A worker without links costs a job that whole time. Its replacement on the same host is likely to lack the same
/// ones, and gets less time until a generation with it is formed.
struct LinkPatience: Sendable, Equatable {
    /// Enough for a busy host that has still to allocate its model.
    static let shorter = Duration.seconds(10)

    private struct Slot: Hashable {
        let host: String
        let number: Int?

        init(_ worker: WorkerIdentity) { (host, number) = (worker.hostName, worker.number) }
    }

    private var suspected: Set<Slot> = []

    /// Notes that a worker was removed because it had no links to others.
    mutating func removed(_ worker: WorkerIdentity) { suspected.insert(Slot(worker)) }

    /// Notes that all links of a generation are established.
    mutating func linked(_ workers: [WorkerIdentity]) { suspected.subtract(workers.map(Slot.init)) }

    /// The time for a generation of these workers.
    func limit(for workers: [WorkerIdentity]) -> Duration {
        suspected.isDisjoint(with: workers.map(Slot.init)) ? DataPlane.formingTime : Self.shorter
    }
}
