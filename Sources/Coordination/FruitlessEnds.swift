/// Consecutive generations that ended without a finished step or a lost worker: when the run gives up, and how long it
/// waits before the next one.
///
/// A connection that drops repeatedly may end many generations within a second; a permanent fault does so for longer.
/// Time is an argument.
struct FruitlessEnds: Sendable, Equatable {
    private static let most = 5
    private static let patience = Duration.seconds(60)

    private(set) var count = 0
    private var first: ContinuousClock.Instant?

    /// Counts one more.
    mutating func add(at now: ContinuousClock.Instant) {
        count += 1
        first = first ?? now
    }

    /// Whether to give up.
    func isTooMany(at now: ContinuousClock.Instant) -> Bool {
        count > Self.most && first.map { now - $0 >= Self.patience } ?? false
    }

    /// Pause before the next generation: none after the first two, then twice as long each time, at most 6.4 s.
    var pause: Duration { count < 3 ? .zero : .milliseconds(100 << min(count - 3, 6)) }
}
