/// The open connections of one listening socket that have not yet proven a key, and whether further ones may come.
///
/// libzmq accepts whatever the kernel hands it and allocates memory for it. Past ``most`` the kernel is told to keep new connections
/// out until enough of these have ended: their time for a handshake is limited. Pure; ``SocketMonitor`` acts.
struct UnprovenConnections {
    enum Door: Equatable {
        case open
        /// Too many connections have proven nothing.
        case crowded
        /// Everybody who was expected is there.
        case shut
    }

    enum Action: Equatable {
        case close
        case open
    }

    /// Beside a descriptor each holds at most one message part: 70 MB in all.
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

    /// The connection has ended, or has brought a message, which only a checked key can.
    mutating func remove(_ descriptor: Int32) -> Action? {
        descriptors.remove(descriptor)
        guard door == .crowded, descriptors.count <= Self.most / 2 else { return nil }
        door = .open
        return .open
    }

    /// Lets nobody in any more.
    mutating func shut() -> Action? {
        defer { door = .shut }
        return door == .open ? .close : nil
    }
}
