/// How long a step usually takes here, and from when on a worker that has not done its part stands still.
///
/// A worker's process may answer while the thread that computes does not move; only time tells that.
package struct StepPace: Sendable {
    /// Usual steps that a step may last.
    static let patience = 20
    /// What is allowed before any step was done: memory is first touched then, and caches are cold.
    static let first = Duration.seconds(300)
    private static let remembered = 31

    private let floor: Duration
    /// Lanes of the worker that has most: a step takes so many times as long.
    package var lanes = 1
    /// Times a lane.
    private var recent: [Duration] = []
    private var samples: [Int] = []

    /// - Parameter floor: what a step may always last.
    package init(floor: Duration) { self.floor = floor }

    /// Notes a step that was done.
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

    /// Time after which a step is given up.
    package var limit: Duration { usual.map { max(floor, $0 * Self.patience) } ?? max(floor, Self.first) }

    /// Time after which work over so many samples without a gradient is given up, never less than for a step.
    package func limit(samples count: Int) -> Duration {
        let most = samples.max() ?? 1
        return max(max(limit, Self.first), limit * Double(count) / Double(max(1, most)))
    }

    /// Time after which a training state of so many parameters that has not arrived is given up.
    package func limit(stateOf parameters: Int) -> Duration { limit + Self.time(toSend: parameters) }

    /// What the training state of so many parameters takes on the slowest link.
    static func time(toSend parameters: Int) -> Duration { .seconds(Double(parameters) * stateBytes / slowestLink) }

    /// Bytes of state a parameter: its value and two moments of four bytes.
    private static let stateBytes = 12.0
    /// Bytes a second that the slowest link between hosts is taken to carry.
    private static let slowestLink = 1e6
}
