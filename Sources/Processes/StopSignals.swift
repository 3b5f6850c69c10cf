/// What signals ask of a run: the first one to stop after its step, a later one to end at once. Pure: time is an
/// argument.
package struct StopSignals: Sendable {
    /// What one signal asks.
    package enum Meaning: Equatable {
        /// Stop after the step, with a checkpoint.
        case stop
        /// Part of the request that was made already.
        case repeated
        case endAtOnce
    }

    /// Signals within this time are one request: `timeout`, terminals and engines signal a process, then its whole
    /// group.
    package static let burst = Duration.milliseconds(500)
    private var began: ContinuousClock.Instant?

    package init() {}

    package mutating func receive(at now: ContinuousClock.Instant) -> Meaning {
        guard let began else {
            began = now
            return .stop
        }
        return now - began < Self.burst ? .repeated : .endAtOnce
    }
}
