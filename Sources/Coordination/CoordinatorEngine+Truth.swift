internal import BERT
internal import Cluster
internal import Distributed
internal import Learning
internal import Runs
internal import TextData

/// What all workers together computed of a step.
struct ComputedStep {
    var losses: [LaneLoss]
    /// Digest of each lane's samples.
    var digests: [UInt64]
    /// The gradient's.
    var norm: Double
}

extension CoordinatorEngine {
    /// Compares the workers' reports of a step with the plan, with each other and with what is known of the state.
    /// - Throws: ``GenerationEnd`` for the first contradiction, which names the worker if one can be told.
    func checked(_ replies: [StepReady], _ plan: StepPlan, _ group: Group) throws(GenerationEnd) -> ComputedStep {
        var losses = [LaneLoss](repeating: LaneLoss(), count: plan.lanes.count)
        var digests = [UInt64?](repeating: nil, count: plan.lanes.count)
        for (rank, reply) in replies.enumerated() {
            let lanes = group.formation.lanes[rank]
            guard reply.step == plan.step, reply.losses.count == lanes.count, reply.sourceLosses.count == lanes.count,
                reply.digests.count == lanes.count
            else {
                throw .untrue(rank, "worker \(rank) reported another step or other lanes")
            }
            for (index, lane) in lanes.enumerated() {
                losses[lane] = LaneLoss(
                    target: Double(bitPattern: reply.losses[index]),
                    source: Double(bitPattern: reply.sourceLosses[index]))
                digests[lane] = reply.digests[index]
            }
        }
        for (lane, planned) in plan.laneDigests.enumerated() where digests[lane] != planned {
            let reason = "lane \(lane) of step \(plan.step) was not computed over the planned samples"
            guard let rank = group.formation.lanes.firstIndex(where: { $0.contains(lane) })
            else { throw .failed(reason: reason) }
            throw .untrue(rank, reason)
        }
        try agree(replies.map(\.state), group, "after step \(plan.step - 1)")
        try compareWithBefore(replies[0].state, after: plan.step - 1)
        guard replies.allSatisfy({ $0.norm == replies[0].norm }) else {
            let reason = "the workers disagree about the gradient of step \(plan.step)"
            guard case .minority(let ranks) = Agreement(replies.map(\.norm)), let first = ranks.first else {
                throw .failed(reason: reason)
            }
            throw .untrue(first, reason)
        }
        return ComputedStep(
            losses: losses, digests: digests.map { $0 ?? 0 }, norm: Double(bitPattern: replies[0].norm))
    }

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
