package import Transport

/// Why an exchange did not finish. Either way the generation is over; no block sum was changed.
package enum ExchangeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The mesh failed: a rank is lost or late, or the exchange was cancelled.
    case mesh(MeshError)
    /// A rank sent something that this protocol does not allow at this point.
    case unexpected(rank: Int, found: String, needed: String)

    package var description: String {
        switch self {
        case .mesh(.lost(let rank)): "rank \(rank) was lost during an exchange: the step is redone without it"
        case .mesh(.deadline(let ranks)):
            "no frame from ranks \(ranks) before the deadline: the step is redone without those that do not answer"
        case .mesh(.unreachable(let ranks, let reason)): "no way to ranks \(ranks): \(reason)"
        case .mesh(.flooded(let rank)):
            "rank \(rank) sent more than may arrive before all links stand: does it run the same build?"
        case .mesh(.overrun(let rank)):
            "rank \(rank) sent more frames than may wait for their turn (\(WaitingFrames.most), or "
                + "\(WaitingFrames.mostBytes >> 20) MiB): does it run the same build?"
        case .mesh(.cancelled): "the exchange was cancelled: the step is redone in the next generation"
        case .mesh(.socket(let operation, let code)):
            "\(operation) failed with error \(code) during an exchange: the step is redone"
        case .unexpected(let rank, let found, let needed):
            "rank \(rank) sent \(found), expected \(needed): check that all workers run the same program and "
                + "configuration"
        }
    }
}
