internal import BERT
internal import Cluster
internal import Distributed
internal import Learning
internal import Runs
internal import TextData

extension CoordinatorEngine {
    /// Ends the generation if workers that must have the same state differ.
    ///
    /// The step that they computed is not committed: its sum contains a gradient of another state.
    func agree(_ hashes: [UInt64], _ group: Group, _ when: String) throws(GenerationEnd) {
        func name(_ rank: Int) -> String { "worker \(rank) on \(group.members[rank].identity.hostName)" }
        switch Agreement(hashes) {
        case .all: return
        case .minority(let ranks):
            let reason = "its weights \(when) differ from those of the other workers: check its memory and processor"
            throw .untrue(
                Dictionary(uniqueKeysWithValues: ranks.map { ($0, reason) }),
                reason: "\(ranks.map(name).joined(separator: ", ")) \(ranks.count == 1 ? "is" : "are") removed: the "
                    + "weights \(when) differ from those of the other workers")
        case .none:
            throw .split(
                reason: "the workers have different weights \(when) "
                    + "(\(hashes.indices.map(name).joined(separator: ", "))) and there is no majority")
        }
    }

    /// Ends the generation if a step does not begin with the same state as before.
    func compareWithBefore(_ hash: UInt64, after step: Int) throws(GenerationEnd) {
        knownStates.forget(before: floor)
        guard knownStates.take(hash, after: step, freeze: run.freeze) else {
            throw .split(
                reason: "the workers' state after step \(step) is not the one that step \(step + 1) began with before")
        }
    }

    /// Refuses impossible scores, before they are used as indices and summands.
    func check(_ answers: [[ScoredChunk]], _ shares: [[Int]], of dataset: TokenizedDataset, _ split: Split)
        throws(GenerationEnd)
    {
        let ranges = Evaluation.chunks(of: dataset.count)
        let head = inputs.model.head(of: split.stream)
        for (rank, answer) in answers.enumerated() {
            let fits =
                answer.map(\.chunk).sorted() == shares[rank].sorted()
                && answer.allSatisfy { $0.score.fits(head, samples: ranges[$0.chunk].count) }
            guard fits else { throw .untrue(rank, "worker \(rank) scored samples that it was not sent") }
        }
    }

    /// Removes workers with a wrong state; none if there is no majority: then no worker's state is used any more.
    func judge(_ end: GenerationEnd, _ members: [Membership.Member]) async {
        for (rank, reason) in end.untrueRanks {
            membership.remove(members[rank])
            guard let proxy = try? Proxy.resolve(id: members[rank].address, using: system) else { continue }
            try? await System.within(.seconds(1)) { try await proxy.leave(reason) }
        }
        guard end.isSplit else { return }
        knownStates.forgetAll()
        // Workers' states now belong to another run id; all workers receive the checkpoint's state.
        run.id = surroundings.random(in: 1...UInt64(Int64.max))
        journal.add(.renamed(run: run.id))
    }
}
