/// Decides which processes have been silent for too long.
///
/// Time is an argument. After a suspension of this process no process is suspected: all times start again.
struct FailureDetector: Sendable {
    let lossAfter: Duration
    /// Interval of heartbeats and checks: short enough also for processes with the default timeout of three seconds.
    let interval: Duration
    /// A longer time between two checks means that this process was suspended.
    let suspension: Duration
    private var lastHeard: [String: ContinuousClock.Instant] = [:]
    private var lastCheck: ContinuousClock.Instant?

    init(lossAfter: Duration) {
        self.lossAfter = lossAfter
        interval = min(lossAfter / 6, .milliseconds(500))
        suspension = lossAfter / 2
    }

    /// Notes a heartbeat of `process`.
    /// - Returns: whether it was not watched before.
    mutating func heard(_ process: String, at now: ContinuousClock.Instant) -> Bool {
        lastHeard.updateValue(now, forKey: process) == nil
    }

    /// Stops watching `process`.
    /// - Returns: whether it was watched.
    mutating func forget(_ process: String) -> Bool { lastHeard.removeValue(forKey: process) != nil }

    var watched: some Collection<String> { lastHeard.keys }

    /// The processes that are lost as of `now`; they are no longer watched.
    mutating func check(at now: ContinuousClock.Instant) -> [String] {
        defer { lastCheck = now }
        if let lastCheck, now - lastCheck > suspension {
            for process in lastHeard.keys { lastHeard[process] = now }
            return []
        }
        let limit = now - lossAfter
        guard lastHeard.values.contains(where: { $0 <= limit }) else { return [] }
        let lost = lastHeard.filter { $0.value <= limit }.keys.sorted()
        for process in lost { lastHeard[process] = nil }
        return lost
    }
}
