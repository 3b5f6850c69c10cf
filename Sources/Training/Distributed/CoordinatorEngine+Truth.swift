internal import Cluster
internal import Distributed

extension CoordinatorEngine {
    /// Ends the generation where workers that must have one state have several.
    ///
    /// The step that they computed is not committed: a gradient made of another state is in its sum.
    func agree(_ hashes: [UInt64], _ group: Group, _ when: String) throws(GenerationEnd) {
        func name(_ rank: Int) -> String { "worker \(rank) on \(group.members[rank].identity.hostName)" }
        switch Agreement(hashes) {
        case .all: return
        case .minority(let ranks):
            let reason = "its weights \(when) are not those of the other workers: look at its memory and its processor"
            throw GenerationEnd(
                reason: "\(ranks.map(name).joined(separator: ", ")) \(ranks.count == 1 ? "is" : "are") sent away: the weights \(when) are not "
                    + "those of the other workers", untrue: Dictionary(uniqueKeysWithValues: ranks.map { ($0, reason) }))
        case .none:
            throw GenerationEnd(
                reason: "the workers have different weights \(when) (\(hashes.indices.map(name).joined(separator: ", "))) and no majority", isSplit: true)
        }
    }

    /// Sends workers away whose state is not true; none where nobody can say whose it is: then no state counts any more.
    func judge(_ end: GenerationEnd, _ group: Group) async {
        for (rank, reason) in end.untrue {
            membership.remove(group.members[rank])
            try? await ZeroMQActorSystem.within(.seconds(1)) { try await group.proxies[rank].leave(reason) }
        }
        guard end.isSplit else { return }
        // Whatever a worker has is of another run now; everybody takes the checkpoint's state.
        run.id = UInt64.random(in: 1...UInt64(Int64.max))
        journal.add(.renamed(run: run.id))
    }
}
