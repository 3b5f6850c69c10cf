/// The open connections of one listening socket without a proven key, and whether more are accepted.
///
/// libzmq accepts every connection from the kernel and allocates memory for it. Past ``most``, the kernel is told to
/// drop new ones until enough of these have ended: their time for a handshake is limited. Pure; ``SocketMonitor`` acts.
struct UnprovenConnections {
    enum Door: Equatable {
        case open
        /// Too many connections without a proven key.
        case crowded
        /// All expected peers have connected.
        case shut
    }

    enum Action: Equatable {
        case close
        case open
    }

    /// Each holds a descriptor and at most one message part: 70 MB in all.
    static let most = 512
    private var descriptors: Set<Int32> = []
    private(set) var door = Door.open

    var count: Int { descriptors.count }

    mutating func accepted(_ descriptor: Int32) -> Action? {
        descriptors.insert(descriptor)
        guard door == .open, descriptors.count >= Self.most else { return nil }
        door = .crowded
        return .close
    }

    /// The connection has ended, or has delivered a message, which only a checked key can.
    mutating func remove(_ descriptor: Int32) -> Action? {
        descriptors.remove(descriptor)
        guard door == .crowded, descriptors.count <= Self.most / 2 else { return nil }
        door = .open
        return .open
    }

    /// Accepts no more connections.
    mutating func shut() -> Action? {
        defer { door = .shut }
        return door == .open ? .close : nil
    }
}
