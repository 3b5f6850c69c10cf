internal import Console
internal import Files
internal import Reports
internal import Wording

/// What a run is doing: its place, its pace, its workers.
struct LiveStatus {
    struct Worker: Equatable {
        var rank: Int
        var host: String
        var state: String
        var threads: Int?
        /// Such as `0–3`; nil if it has none.
        var lanes: String?
        /// Means over the newest steps, in seconds; nil before the first.
        var compute: Double?
        var exchange: Double?
        var wait: Double?
        var bytes: Double?
    }

    let run: RunRecord
    let log: [String]
    private let recent: ArraySlice<RunRecord.Step>

    init(_ run: RunRecord, log: [String]) {
        self.run = run
        self.log = log
        recent = run.steps.suffix(20)
    }

    var step: Int { run.steps.last?.step ?? run.events.start?["after_step"]?.count ?? 0 }
    /// Nil for a run of a build that did not say.
    var totalSteps: Int? { run.events.start?["total_steps"]?.count }
    var epochs: Int? { run.events.start?["epochs"]?.count }
    var generation: Int? { run.events.generation?["generation"]?.count }

    private var secondsOfRecent: Double { recent.reduce(0) { $0 + ($1.seconds.isFinite ? $1.seconds : 0) } }
    var samplesPerSecond: Double? {
        secondsOfRecent > 0 ? Double(recent.reduce(0) { $0 + $1.samples }) / secondsOfRecent : nil
    }
    var tokensPerSecond: Double? {
        secondsOfRecent > 0 ? Double(recent.reduce(0) { $0 + $1.tokens }) / secondsOfRecent : nil
    }
    /// A mean over the newest steps.
    var loss: Double? { recent.isEmpty ? nil : recent.reduce(0) { $0 + $1.loss } / Double(recent.count) }

    /// For the progress line; nil before the first step.
    var figures: ProgressFigures? {
        guard let last = run.steps.last else { return nil }
        return ProgressFigures(
            step: last.step, totalSteps: totalSteps ?? last.step, epoch: last.epoch, epochs: epochs ?? last.epoch,
            loss: loss ?? last.loss, rate: last.learningRate, samplesPerSecond: samplesPerSecond ?? 0,
            secondsLeft: secondsLeft ?? 0, workers: last.workers)
    }

    /// Without evaluations and checkpoints; nil if the run does not go on, or there is nothing to tell it from.
    var secondsLeft: Double? {
        guard run.state == .running, let totalSteps, !recent.isEmpty, totalSteps >= step else { return nil }
        return Double(totalSteps - step) * secondsOfRecent / Double(recent.count)
    }

    /// The workers of the newest generation, or the one process, with what is known of each.
    var workers: [Worker] {
        let events = run.events
        guard let members = events.generation?["workers"]?.array else { return process }
        let lost = Set((events.end?["lost"]?.array ?? []).compactMap(\.integer))
        return members.prefix(1_000).map { member in
            let rank = member["rank"]?.count ?? 0
            let shares = events.shares.compactMap { $0.first { $0["rank"]?.integer == rank } }
            func mean(_ key: String) -> Double? {
                let values = shares.compactMap { $0[key]?.double }
                return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
            }
            let (first, count) = (member["first_lane"]?.count ?? 0, member["lanes"]?.count ?? 0)
            let state =
                run.state != .running
                ? run.state.rawValue
                : lost.contains(rank) ? "lost" : events.end != nil ? "waiting" : count == 0 ? "standby" : "working"
            return Worker(
                rank: rank, host: ReportText.shown(member["host"]?.string ?? "?"), state: state,
                threads: member["threads"]?.count, lanes: Self.lanes(first, count), compute: mean("compute"),
                exchange: mean("exchange"), wait: mean("wait"), bytes: mean("bytes"))
        }
    }

    private var process: [Worker] {
        guard let start = run.events.start, let threads = start["threads"]?.count else { return [] }
        return [
            Worker(
                rank: 0, host: ReportText.shown(start["host"]?.string ?? "?"),
                state: run.state == .running ? "working" : run.state.rawValue, threads: threads,
                lanes: Self.lanes(0, start["lanes"]?.count ?? 0),
                compute: recent.isEmpty ? nil : secondsOfRecent / Double(recent.count))
        ]
    }

    private static func lanes(_ first: Int, _ count: Int) -> String? {
        count == 0 ? nil : count == 1 ? String(first) : "\(first)–\(first + count - 1)"
    }

    var json: JSONValue {
        func shown(_ seconds: Double?) -> JSONValue { seconds.map { .string("\(decimal($0 * 1_000, 1)) ms") } ?? .null }
        let rows = workers.map { worker in
            JSONValue.array([
                .integer(worker.rank), .string(worker.host), .string(worker.state),
                worker.threads.map(JSONValue.integer) ?? .null, worker.lanes.map(JSONValue.string) ?? .null,
                shown(worker.compute), shown(worker.exchange), shown(worker.wait),
                worker.bytes.map { .string(decimal($0 / 1e6, 2)) } ?? .null,
            ])
        }
        return .object([
            .init("state", .string(run.state.rawValue)), .init("step", .integer(step)),
            .init("total_steps", totalSteps.map(JSONValue.integer) ?? .null),
            .init("epoch", (run.steps.last?.epoch).map(JSONValue.integer) ?? .null),
            .init("epochs", epochs.map(JSONValue.integer) ?? .null),
            .init("loss", loss.map(JSONValue.point) ?? .null),
            .init("speed", samplesPerSecond.map(JSONValue.point) ?? .null),
            .init("left", secondsLeft.map { .string(ProgressFigures.clock($0)) } ?? .null),
            .init("generation", generation.map(JSONValue.integer) ?? .null), .init("workers", .array(rows)),
            .init("log", .array(log.map(JSONValue.string))),
        ])
    }

    /// Before there is a run.
    static let nothing = JSONValue.object([
        .init("state", .string("not begun")), .init("step", .integer(0)), .init("workers", .array([])),
        .init("log", .array([])),
    ])
}
