internal import Cluster
internal import Collectives
internal import Transport
internal import Wording

/// What a failure means for the generation: the only place where errors of workers and links become ends.
extension GenerationEnd {
    /// A call to a worker failed.
    /// - Parameter limit: of the call.
    init(_ error: any Error, ofWorker rank: Int, onHost host: String, within limit: Duration) {
        let name = "worker \(rank) on \(host)"
        self =
            switch error {
            case WorkerFailure.memoryChanged(let reason):
                .untrue([rank: reason], reason: "\(name) is removed: \(reason)")
            case WorkerFailure.unlinked(let ranks, let reason):
                .unlinked(UnlinkedRanks(ranks, missedBy: rank), reason: "\(name): \(reason)")
            case let failure as WorkerFailure: .failed(reason: failure.description)
            // A rank that waits for a stalled rank is as late as that one.
            case ClusterError.deadline(let process, _):
                .failed(reason: "\(process) was not done within \(Int(limit.seconds)) s")
            default: .lost(rank: rank, reason: "\(name): \(error)")
            }
    }

    /// The coordinator's own data thread failed.
    /// - Parameter rank: the coordinator's, if its links were to be established.
    init(_ error: any Error, _ what: String, formingAs rank: Int?) {
        guard let error = error as? MeshError else {
            self = .failed(reason: "\(what): \(error)")
            return
        }
        let reason = "\(what): \(ExchangeError.mesh(error))"
        guard let rank, let ranks = error.unlinked else {
            self = .failed(reason: reason)
            return
        }
        self = .unlinked(UnlinkedRanks(ranks, missedBy: rank), reason: reason)
    }
}

extension MeshError {
    /// The ranks without a link, if that is why links were not established.
    var unlinked: [Int]? {
        switch self {
        case .deadline(let ranks), .unreachable(let ranks, _): ranks
        case .lost, .flooded, .overrun, .cancelled, .socket: nil
        }
    }
}
