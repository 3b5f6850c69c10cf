internal import Console
internal import Foundation
internal import Processes
internal import Reports
package import Wording

/// `apus watch`: the state of a run, then its log and its progress as they come.
package struct TerminalWatch {
    private let folder: String

    /// Lines of the log before those to come.
    private static let earlier = 10
    /// How long a run may seem to be stopped, as while its coordinator is started again.
    private static let patience = Duration.seconds(10)
    private static let pause: useconds_t = 250_000

    /// - Throws: ``InputError`` if the folder has no run.
    package init(_ options: WatchOptions) throws(InputError) {
        folder = options.run
        for folder in RunRecord.folders(at: folder) { _ = try RunRecord(folder) }
    }

    /// Returns once the run has ended.
    package func run() {
        let screen = Screen.shared
        let source = SignalSource(SIGINT) {
            screen.leave()
            _exit(128 + SIGINT)
        }
        defer { withExtendedLifetime(source) {} }
        var watch = RunWatch(folder)
        _ = watch.refresh()
        guard var status = watch.status else { return }
        var path = status.run.path
        var log = LineFollower(path + "/log.txt")
        var lines = Self.news(&log)
        for line in Self.overview(status) + lines.suffix(Self.earlier) { screen.say(line) }
        guard status.run.state == .running else { return }
        var lastRunning = ContinuousClock.now
        while status.run.state != .finished, .now - lastRunning < Self.patience {
            if status.run.state == .running { lastRunning = .now }
            if let figures = status.figures, status.run.state == .running {
                let drawn = ContinuousClock.now
                screen.show { columns, colors in
                    figures.line(columns: columns, elapsed: (ContinuousClock.now - drawn).seconds, colors: colors)
                }
            }
            usleep(Self.pause)
            _ = watch.refresh()
            guard let now = watch.status else { break }
            status = now
            if status.run.path != path {
                path = status.run.path
                log = LineFollower(path + "/log.txt")
                screen.say("\(ReportText.shown(path)):")
            }
            lines = Self.news(&log)
            for line in lines { screen.say(line) }
        }
        screen.hide()
        if status.run.state != .running { screen.say("\(ReportText.shown(path)) is \(status.run.state.rawValue)") }
    }

    private static func news(_ log: inout LineFollower) -> [String] {
        var lines: [String] = []
        _ = log.refresh(restart: {}, take: { lines.append(String(decoding: $0, as: UTF8.self)) })
        return lines
    }

    /// The state of a run in a few lines.
    static func overview(_ status: LiveStatus) -> [String] {
        let run = status.run
        let steps = status.totalSteps.map { "step \(status.step) of \($0)" } ?? "step \(status.step)"
        var lines = ["\(ReportText.shown(run.path)): \(run.state.rawValue), \(steps)", ReportData.sentence(run)]
        if let first = run.steps.first, let last = run.steps.last, first.step < last.step {
            lines.append("training loss \(sparkline(run.steps)), steps \(first.step) to \(last.step)")
        }
        let workers = status.workers
        if workers.count > 1 || status.generation != nil { lines += table(workers) }
        return lines
    }

    private static func table(_ workers: [LiveStatus.Worker]) -> [String] {
        func time(_ seconds: Double?) -> String { seconds.map { "\(decimal($0 * 1_000, 1)) ms" } ?? "–" }
        let rows = workers.prefix(64).map { worker in
            [
                String(worker.rank), worker.host, worker.state, worker.threads.map { "\($0)" } ?? "–",
                worker.lanes ?? "–", time(worker.compute), time(worker.exchange), time(worker.wait),
            ]
        }
        return RunList.aligned(
            [["worker", "host", "state", "threads", "lanes", "compute", "exchange", "wait"]] + rows)
    }

    /// The course of the loss in 40 columns: each the mean of as many steps.
    static func sparkline(_ steps: [RunRecord.Step]) -> String {
        let values = StepSeries(steps, most: 40).means
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return "–" }
        let marks = Array("▁▂▃▄▅▆▇█")
        let curve = values.map { value -> Character in
            // Halves, since the difference of two finite numbers may not be one.
            let share = (value / 2 - low / 2) / (high / 2 - low / 2)
            guard value.isFinite else { return "?" }
            return marks[high > low && share.isFinite ? min(7, Int(share * 8)) : 0]
        }
        return "\(decimal(values[0], 4)) \(String(curve)) \(decimal(values[values.count - 1], 4))"
    }
}
