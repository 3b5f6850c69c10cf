/// Which of the connections that have not proven who they are ends, so that a newer one can be taken. Pure.
///
/// Strangers can open any number of connections, from a few addresses. Those from an address at which a peer listens
/// stay longest, then those that have begun a handshake; then each address has the same claim, so that the one with the
/// most gives way; then the oldest.
struct Crowding {
    struct Connection {
        let origin: String
        let hasAnswered: Bool
    }

    /// The addresses at which the missing peers listen.
    let expected: Set<String>

    /// - Parameter connections: oldest first.
    /// - Returns: an index of `connections`; nil if there is none.
    /// - Complexity: O(n).
    func givesWay(_ connections: [Connection]) -> Int? {
        let counts = connections.reduce(into: [:]) { $0[$1.origin, default: 0] += 1 }
        func weight(_ index: Int) -> (Int, Int, Int, Int) {
            let one = connections[index]
            return (expected.contains(one.origin) ? 0 : 1, one.hasAnswered ? 0 : 1, counts[one.origin] ?? 0, -index)
        }
        return connections.indices.max { weight($0) < weight($1) }
    }

    /// The same while the system has no descriptor left, when one connection may be the only one: a sole one from an
    /// address at which a peer listens stays.
    func givesWayToAny(_ connections: [Connection]) -> Int? {
        guard let index = givesWay(connections) else { return nil }
        let origin = connections[index].origin
        return expected.contains(origin) && connections.count { $0.origin == origin } == 1 ? nil : index
    }
}
