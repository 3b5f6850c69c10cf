/// Why a worker could not do what it was told; its process is well.
package enum WorkerFailure: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    /// The generation is over; the worker keeps its state.
    case generationEnded(String)
    /// Links to these ranks, or from them, were not established in time.
    case unlinked(ranks: [Int], String)
    /// The command does not fit what the worker has.
    case outOfOrder(String)
    /// The worker's memory is not what it was: it must not take part.
    case memoryChanged(String)

    package var description: String {
        switch self {
        case .memoryChanged(let reason): reason
        case .generationEnded(let reason), .unlinked(_, let reason): reason
        case .outOfOrder(let reason): reason
        }
    }
}

/// Why a process may not join a run.
package struct JoinRefused: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
