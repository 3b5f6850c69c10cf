/// A run's `metrics.jsonl` as it grows.
struct MetricsFollower: ~Copyable {
    private(set) var events = RunEvents()
    private var lines: LineFollower

    init(_ path: String) { lines = LineFollower(path) }

    /// Reads what is new.
    /// - Returns: whether anything has changed.
    mutating func refresh() -> Bool {
        var events = events
        self.events = RunEvents()
        let isNew = lines.refresh(restart: { events = RunEvents() }, take: { events.add(line: $0) })
        self.events = events
        return isNew
    }
}
