internal import Transport

/// Maps connections to processes.
///
/// The socket gives each connection a random number; a process may reconnect through another connection, if
/// it proves the same key.
struct PeerTable {
    struct Peer {
        var connection: [UInt8]
        var descriptor: Int32?
        let key: PublicKey?
    }

    static let limit = 4_096
    private(set) var peers: [String: Peer] = [:]

    subscript(process: String) -> Peer? { peers[process] }

    /// Notes that `process` spoke through `connection`.
    /// - Returns: false if it may not.
    mutating func heard(_ process: String, through connection: [UInt8], descriptor: Int32?, key: PublicKey?) -> Bool {
        guard let known = peers[process] else {
            guard peers.count < Self.limit else { return false }
            peers[process] = Peer(connection: connection, descriptor: descriptor, key: key)
            return true
        }
        guard known.key == key else { return false }
        if known.connection != connection || known.descriptor != descriptor {
            peers[process] = Peer(connection: connection, descriptor: descriptor, key: key)
        }
        return true
    }

    /// Whether `process` is known to speak through this connection.
    func knows(_ process: String, through connection: [UInt8], descriptor: Int32?) -> Bool {
        peers[process].map { $0.connection == connection && $0.descriptor == descriptor } ?? false
    }

    mutating func forget(_ process: String) { peers[process] = nil }

    /// The process whose connection `descriptor` is.
    func process(at descriptor: Int32) -> String? { peers.first { $0.value.descriptor == descriptor }?.key }
}
