/// A run's `metrics.jsonl` as it grows.
package struct MetricsFollower: ~Copyable {
    package private(set) var events = RunEvents()
    private var lines: LineFollower

    package init(_ path: String) { lines = LineFollower(path) }

    /// Reads what is new.
    /// - Returns: whether anything has changed.
    package mutating func refresh() -> Bool {
        var events = events
        self.events = RunEvents()
        let isNew = lines.refresh(restart: { events = RunEvents() }, take: { events.add(line: $0) })
        self.events = events
        return isNew
    }
}
