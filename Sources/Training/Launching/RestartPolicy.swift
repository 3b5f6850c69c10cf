/// How often one process that dies is started again: so many times within ten minutes, with a pause that grows.
///
/// A long run with rare deaths goes on for ever. Time is an argument.
struct RestartPolicy: Sendable {
    enum Decision: Equatable, Sendable {
        case restart(after: Duration)
        case giveUp(restarts: Int)
    }

    static let window = Duration.seconds(600)
    private static let longestPause = Duration.seconds(32)
    let limit: Int
    /// When it was started again, within the window.
    private var restarts: [ContinuousClock.Instant] = []

    init(limit: Int) { self.limit = limit }

    /// The process has died at `now`: what to do.
    mutating func died(at now: ContinuousClock.Instant) -> Decision {
        restarts.removeAll { now - $0 >= Self.window }
        guard restarts.count < limit else { return .giveUp(restarts: restarts.count) }
        // The first replacement comes at once; one that dies soon too has a reason that may pass.
        let pause = restarts.isEmpty ? Duration.zero : min(.seconds(1 << min(restarts.count - 1, 5)), Self.longestPause)
        restarts.append(now)
        return .restart(after: pause)
    }
}
