/// How often a process that dies is restarted: up to a limit within ten minutes, with growing pauses.
///
/// A long run with rare deaths continues forever. Time is an argument.
struct RestartPolicy: Sendable {
    enum Decision: Equatable, Sendable {
        case restart(after: Duration)
        case giveUp(restarts: Int)
    }

    static let window = Duration.seconds(600)
    private static let longestPause = Duration.seconds(32)
    let limit: Int
    /// Times of restarts within the window.
    private var restarts: [ContinuousClock.Instant] = []

    init(limit: Int) { self.limit = limit }

    /// The action after the process has died at `now`.
    mutating func died(at now: ContinuousClock.Instant) -> Decision {
        restarts.removeAll { now - $0 >= Self.window }
        guard restarts.count < limit else { return .giveUp(restarts: restarts.count) }
        // The first replacement starts at once; if that soon dies too, the cause may be temporary.
        let pause = restarts.isEmpty ? Duration.zero : min(.seconds(1 << min(restarts.count - 1, 5)), Self.longestPause)
        restarts.append(now)
        return .restart(after: pause)
    }
}
