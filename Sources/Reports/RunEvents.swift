package import Files
internal import Wording

/// What the lines of `metrics.jsonl` say about a run so far.
package struct RunEvents: Sendable {
    /// In order, each step once: a recomputed one replaces the earlier one.
    package private(set) var steps: [RunRecord.Step] = []
    private(set) var evaluations: [JSONValue] = []
    /// The newest beginning of a process that runs the steps.
    package private(set) var start: JSONValue?
    /// How many processes have run steps, one after the other.
    package private(set) var processes = 0
    /// The workers of the newest generation, nil without workers; and what ended it, nil while it lasts.
    package private(set) var generation: JSONValue?
    package private(set) var end: JSONValue?
    /// Seconds, of the newest steps, that each worker spent.
    package private(set) var shares: [[JSONValue]] = []
    /// What happened to workers, by step.
    private var news: [(step: Int, text: String)] = []

    /// Steps whose shares are kept.
    private static let recent = 20

    init() {}

    /// A line that is not an event, such as an incomplete one, is skipped.
    mutating func add(line: ArraySlice<UInt8>) {
        guard let event = try? JSONValue(parsing: Array(line)) else { return }
        switch event["event"]?.string {
        case "step":
            guard let step = RunRecord.Step(event) else { return }
            add(step)
            if let workers = event["workers"]?.array {
                shares.append(workers)
                if shares.count > Self.recent { shares.removeFirst() }
            }
            if let count = event["recomputed"]?.count, count > 0 {
                note(step.step, "\(counted(count, "step")) recomputed, since all workers were lost at once")
            }
        case "evaluation": evaluations.append(event)
        case "start":
            start = event
            processes += 1
            (generation, end, shares) = (nil, nil, [])
        case "generation": (generation, end, shares) = (event, nil, [])
        case "generation_end":
            end = event
            let number = event["generation"]?.count ?? 0
            note(
                event["after_step"]?.count ?? 0,
                "generation \(number) ended: \(ReportText.shown(event["reason"]?.string ?? "for no known reason"))")
        default: return
        }
    }

    private mutating func add(_ step: RunRecord.Step) {
        guard let last = steps.last, step.step <= last.step else { return steps.append(step) }
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].step < step.step { low = middle + 1 } else { high = middle }
        }
        if steps[low].step == step.step { steps[low] = step } else { steps.insert(step, at: low) }
    }

    private mutating func note(_ step: Int, _ text: String) {
        news.append((step, text))
        if news.count > 1_000 { news.removeFirst(500) }
    }

    /// Changes of the number of workers, ends of generations and recomputed steps, in the order of steps.
    var marks: [(step: Int, text: String)] {
        let changes = zip(steps, steps.dropFirst()).filter { $0.workers != $1.workers }.map {
            (
                step: $1.step,
                text: "\(counted($0.workers, "worker")) before, \(counted($1.workers, "worker")) from here on"
            )
        }
        return (news + changes).sorted { $0.step < $1.step }.suffix(500)
    }
}

extension JSONValue {
    /// A whole number of things; nil for anything that cannot be one. Sums of them do not overflow.
    package var count: Int? { integer.flatMap { (0...(1 << 52)).contains($0) ? $0 : nil } }
}
