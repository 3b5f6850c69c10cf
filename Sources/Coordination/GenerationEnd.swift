/// Why a generation cannot continue.
enum GenerationEnd: Error, Equatable {
    /// A worker's process or connection is lost.
    case lost(rank: Int, reason: String)
    /// Workers have a wrong state, or gave an impossible answer; the reasons are sent to them.
    case untrue([Int: String], reason: String)
    /// Links between living processes were not established.
    case unlinked(UnlinkedRanks, reason: String)
    /// The workers' states differ, without a majority for one.
    case split(reason: String)
    /// Something else failed; all workers may be well.
    case failed(reason: String)

    /// A worker gave an impossible answer.
    static func untrue(_ rank: Int, _ reason: String) -> GenerationEnd { .untrue([rank: reason], reason: reason) }

    var reason: String {
        switch self {
        case .lost(_, let reason), .untrue(_, let reason), .unlinked(_, let reason), .split(let reason),
            .failed(let reason):
            reason
        }
    }

    /// Workers to remove without asking for their state, and the reasons sent to them.
    var untrueRanks: [Int: String] { if case .untrue(let ranks, _) = self { ranks } else { [:] } }

    /// Links that were not established.
    var deadLinks: UnlinkedRanks { if case .unlinked(let ranks, _) = self { ranks } else { UnlinkedRanks() } }

    /// The rank that the reason names already.
    var namedRank: Int? { if case .lost(let rank, _) = self { rank } else { nil } }

    /// Whether no worker's state may be used any more.
    var isSplit: Bool { if case .split = self { true } else { false } }
}
