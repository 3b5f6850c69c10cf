internal import Glibc
internal import Synchronization

/// Asks the system's resolver for the addresses of names on a thread of its own: an answer may take minutes.
struct NameLookup: Sendable {
    /// Pause before an unknown name is looked up again, and for how long: a resolver may be unreachable for a moment.
    private static let pause = Duration.milliseconds(500)
    private static let patience = Duration.seconds(3)

    enum Outcome: Equatable {
        case number(String)
        case unknown
        /// The deadline passed without an answer.
        case late
    }

    /// - Returns: the number of a name; nil if it is unknown.
    var lookup: @Sendable (_ name: String) -> String? = { TCPProbe.number(of: $0) }

    /// The number of `name`. A thread whose resolver does not answer is left behind until it does.
    /// - Throws: ``MeshError/cancelled``.
    func number(of name: String, until deadline: ContinuousClock.Instant, _ canceller: MeshCanceller)
        throws(MeshError) -> Outcome
    {
        let end = ContinuousClock.now + Self.patience
        while true {
            let answer: Answer
            do throws(ZeroMQError) { answer = try Answer() } catch { throw MeshError(error) }
            let lookup = lookup
            _ = ServiceThread { answer.give(lookup(name)) }
            guard try Self.wait(for: answer.wakeup, until: deadline, canceller) else { return .late }
            if let number = answer.number { return .number(number) }
            guard min(end, deadline) > .now else { return .unknown }
            _ = try Self.wait(for: nil, until: min(.now + Self.pause, deadline), canceller)
        }
    }

    /// - Returns: false when the deadline passed.
    private static func wait(
        for wakeup: Wakeup?, until deadline: ContinuousClock.Instant, _ canceller: MeshCanceller
    ) throws(MeshError) -> Bool {
        var watched = [canceller.wakeup, wakeup].compactMap { $0 }.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
        }
        while true {
            let found = unsafe poll(&watched, nfds_t(watched.count), max(deadline - .now, .zero).milliseconds)
            guard found >= 0 || errno == EINTR else { throw .socket(operation: "waiting for a name", code: errno) }
            guard !canceller.isCancelled else { throw .cancelled }
            if found > 0 { return true }
            if deadline <= .now { return false }
        }
    }

    private final class Answer: Sendable {
        let wakeup: Wakeup
        private let found = Mutex<String?>(nil)

        init() throws(ZeroMQError) { wakeup = try Wakeup() }

        func give(_ number: String?) {
            found.withLock { $0 = number }
            wakeup.signal()
        }

        var number: String? { found.withLock { $0 } }
    }
}

extension MeshRoster {
    /// The roster with a number for each host's name, but not for `rank` itself.
    /// - Throws: ``MeshError``: `unreachable` if a name is unknown, `deadline` if the resolver is too slow.
    func numbered(
        for rank: Int, by lookup: NameLookup = NameLookup(), until deadline: ContinuousClock.Instant,
        _ canceller: MeshCanceller
    ) throws(MeshError) -> MeshRoster {
        var roster = self
        var known: [String: String] = [:]
        for peer in peers.indices where peer != rank {
            for path in [\MeshPeer.endpoint, \MeshPeer.bulkEndpoint] {
                guard let place = TCPEndpoint(peers[peer][keyPath: path]), place.address == nil else { continue }
                if known[place.host] == nil {
                    switch try lookup.number(of: place.host, until: deadline, canceller) {
                    case .number(let number): known[place.host] = number
                    case .unknown: throw .unreachable(ranks: [peer], reason: "the host \(place.host) is unknown")
                    case .late: throw .deadline(waitingFor: [peer])
                    }
                }
                guard let number = known[place.host] else { continue }
                roster.peers[peer][keyPath: path] = "tcp://\(TCPProbe.bracketed(number)):\(place.port)"
            }
        }
        return roster
    }
}

extension MeshPeer {
    /// Empty without bulk links.
    fileprivate var bulkEndpoint: String {
        get { bulk?.endpoint ?? "" }
        set { bulk?.endpoint = newValue }
    }
}
