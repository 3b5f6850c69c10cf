internal import Synchronization
internal import Transport

/// Decides which refused connections to report: each cause once a minute, and few lines in all.
///
/// Pure; time is an argument.
struct RefusalNotices {
    enum Cause: Hashable, Sendable {
        /// The key was proven, and is not on the list.
        case unknownKey(PublicKey)
        /// The other end expects another key of this process.
        case otherCoordinator
        /// One end has keys, the other has none.
        case differsInKeys
        /// This process has no descriptor for another connection.
        case noDescriptor
    }

    static let pause = Duration.seconds(60)
    /// Most lines within a pause, so that made-up keys cannot fill the log.
    static let most = 5
    private var said: [(cause: Cause, at: ContinuousClock.Instant)] = []

    /// - Returns: whether to report it.
    mutating func note(_ cause: Cause, at now: ContinuousClock.Instant) -> Bool {
        said.removeAll { now - $0.at >= Self.pause }
        guard said.count < Self.most, !said.contains(where: { $0.cause == cause }) else { return false }
        said.append((cause, now))
        return true
    }
}

/// Reports the refusals of a coordinator.
final class RefusalReport: Sendable {
    private struct State {
        var notices = RefusalNotices()
        var early: [String] = []
        var say: (@Sendable (String) -> Void)?
    }

    private let state = Mutex(State())

    /// Reports pending and future refusals with `say`.
    func begin(_ say: @escaping @Sendable (String) -> Void) {
        let lines = state.withLock { state in
            defer { (state.early, state.say) = ([], say) }
            return state.early
        }
        for line in lines { say(line) }
    }

    /// - Parameters:
    ///   - address: the connection's origin; nil if unknown.
    ///   - file: the key file of this process; nil if it has none.
    ///   - isPlain: whether this process has no keys at all.
    func note(_ cause: RefusalNotices.Cause, from address: String? = nil, file: String?, isPlain: Bool = false) {
        let line = Self.line(cause, from: address, file: file, isPlain: isPlain)
        let say = state.withLock { state -> (@Sendable (String) -> Void)? in
            guard state.notices.note(cause, at: .now) else { return nil }
            if state.say == nil { state.early.append(line) }
            return state.say
        }
        say?(line)
    }

    private static func line(_ cause: RefusalNotices.Cause, from address: String?, file: String?, isPlain: Bool)
        -> String
    {
        let origin = address.map { " from \($0)" } ?? ""
        switch cause {
        case .unknownKey(let key):
            let remedy =
                file.map { "to let it in, add the line 'worker \(key)' to \($0) and send SIGHUP" }
                ?? "give it this run's \(KeySource.secret) or key file"
            return "a connection\(origin) was refused: its key \(key) is not one of this run's; \(remedy)"
        case .noDescriptor:
            return
                "no open file is left for another connection: new ones wait until some end; allow more open files "
                + "(ulimit -n) and start the run again with --resume"
        case .otherCoordinator:
            let remedy =
                file == nil
                ? "give it this run's \(KeySource.secret) or key file"
                : "give it a key file that was made with this run's"
            return "a connection\(origin) was refused: its end expects another coordinator's key; \(remedy)"
        case .differsInKeys:
            return isPlain
                ? "a connection\(origin) was refused: its end has keys, this coordinator runs with --insecure; give "
                    + "both keys, or start that worker with --insecure too"
                : "a connection\(origin) was refused: its end has no keys or is not a worker; start it with this run's "
                    + (file == nil ? "\(KeySource.secret)" : "\(KeySource.file)") + " and without --insecure"
        }
    }
}
