internal import Glibc

/// Peers whose address has refused every attempt to connect for a while: waiting longer would not help. Pure.
///
/// A peer listens before the others learn its address, so that a refusal is never a matter of coming too early.
struct RefusedDials {
    /// How long an address must refuse.
    static let patience = Duration.seconds(3)

    private var refused: [Int: (since: ContinuousClock.Instant, code: Int32)] = [:]

    /// Notes a failed attempt with its errno. Only a refusal or a missing route counts.
    mutating func failed(_ rank: Int, _ code: Int32, at now: ContinuousClock.Instant) {
        guard Self.isRefusal(code) else { return }
        refused[rank] = (refused[rank]?.since ?? now, code)
    }

    /// Notes that a peer's port took a connection.
    mutating func reached(_ rank: Int) { refused[rank] = nil }

    /// The error to throw; nil until an address has refused for ``patience``.
    func end(at now: ContinuousClock.Instant) -> MeshError? {
        let ranks = refused.filter { now - $0.value.since >= Self.patience }
        guard let first = ranks.keys.min(), let code = ranks[first]?.code else { return nil }
        return .unreachable(ranks: ranks.keys.sorted(), reason: systemReason(code))
    }

    private static func isRefusal(_ code: Int32) -> Bool {
        [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EACCES, EPERM, EADDRNOTAVAIL].contains(code)
    }
}
