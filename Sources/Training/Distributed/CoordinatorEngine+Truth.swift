internal import BERT
internal import Cluster
internal import Distributed
internal import TextData

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

    /// Ends the generation where a step does not begin with the state with which it began before.
    func compareWithBefore(_ hash: UInt64, after step: Int) throws(GenerationEnd) {
        knownStates.forget(before: floor)
        guard knownStates.take(hash, after: step, freeze: run.freeze) else {
            throw GenerationEnd(
                reason: "the workers' state after step \(step) is not the one that step \(step + 1) began with before", isSplit: true)
        }
    }

    /// The end of a generation in which a worker answered what cannot be.
    func untrue(_ rank: Int, _ reason: String) -> GenerationEnd { GenerationEnd(reason: reason, rank: rank, untrue: [rank: reason]) }

    /// Refuses scores that no worker can have found: what follows from them counts classes and adds.
    func check(_ answers: [[ScoredChunk]], _ shares: [[Int]], of dataset: TokenizedDataset, _ split: Split) throws(GenerationEnd) {
        let ranges = Evaluation.chunks(of: dataset.count)
        let head = inputs.model.head(of: split.stream)
        for (rank, answer) in answers.enumerated() {
            let fits = answer.map(\.chunk).sorted() == shares[rank].sorted() && answer.allSatisfy { $0.score.fits(head, samples: ranges[$0.chunk].count) }
            guard fits else { throw untrue(rank, "worker \(rank) scored other samples than it was sent") }
        }
    }

    /// Sends workers away whose state is not true; none where nobody can say whose it is: then no state counts any more.
    func judge(_ end: GenerationEnd, _ members: [Membership.Member]) async {
        for (rank, reason) in end.untrue {
            membership.remove(members[rank])
            guard let proxy = try? Proxy.resolve(id: members[rank].address, using: system) else { continue }
            try? await ZeroMQActorSystem.within(.seconds(1)) { try await proxy.leave(reason) }
        }
        guard end.isSplit else { return }
        knownStates.forgetAll()
        // Whatever a worker has is of another run now; everybody takes the checkpoint's state.
        run.id = UInt64.random(in: 1...UInt64(Int64.max))
        journal.add(.renamed(run: run.id))
    }
}
