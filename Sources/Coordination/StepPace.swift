/// How long a step usually takes, and when a worker that has not finished its part counts as stalled.
///
/// A worker's process may answer while its computing thread is stalled; only time shows that.
package struct StepPace: Sendable {
    /// Limit of a step, in usual steps.
    static let patience = 20
    /// The limit before the first finished step: memory is first touched then, and caches are cold.
    static let first = Duration.seconds(300)
    private static let remembered = 31

    private let floor: Duration
    /// Most lanes of a worker: a step takes this many times as long.
    package var lanes = 1
    /// Times per lane.
    private var recent: [Duration] = []
    private var samples: [Int] = []

    /// - Parameter floor: the minimum limit of a step.
    package init(floor: Duration) { self.floor = floor }

    /// Records a finished step.
    package mutating func add(_ duration: Duration, samples count: Int) {
        recent.append(duration / max(1, lanes))
        samples.append(count)
        if recent.count > Self.remembered {
            recent.removeFirst()
            samples.removeFirst()
        }
    }

    /// The median of the newest steps; nil before the first.
    package var usual: Duration? { recent.isEmpty ? nil : recent.sorted()[recent.count / 2] * max(1, lanes) }

    /// Time after which a step fails.
    package var limit: Duration { usual.map { max(floor, $0 * Self.patience) } ?? max(floor, Self.first) }

    /// Time after which work over this many samples without a gradient fails, at least that of a step.
    package func limit(samples count: Int) -> Duration {
        let most = samples.max() ?? 1
        return max(max(limit, Self.first), limit * Double(count) / Double(max(1, most)))
    }

    /// Deadline for the transfer of a training state with this many parameters.
    package func limit(stateOf parameters: Int) -> Duration { limit + Self.time(toSend: parameters) }

    /// Transfer time of a training state with this many parameters on the slowest link.
    static func time(toSend parameters: Int) -> Duration { .seconds(Double(parameters) * stateBytes / slowestLink) }

    /// Bytes of state per parameter: its value and two moments of four bytes.
    private static let stateBytes = 12.0
    /// Assumed speed of the slowest link between hosts, in bytes per second.
    private static let slowestLink = 1e6
}
