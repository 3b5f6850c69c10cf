internal import Files
internal import Foundation
internal import Inputs
internal import Learning
internal import Reports
internal import Wording

/// Runs in their folders, looked at again and again. It only reads.
struct RunWatch: ~Copyable {
    private let path: String
    private let withTexts: Bool
    private var followers: [(folder: String, follower: FollowedRun)] = []

    /// A run's files that grow, and those that are read again when they have changed.
    private final class FollowedRun {
        private var metrics: MetricsFollower
        private(set) var record: RunRecord?
        private(set) var log: [String] = []
        private var scored: JSONValue?
        private var state: RunRecord.State?
        private let folder: String
        private var times: [String: Stamp] = [:]

        /// A file that was not changed has the same.
        private struct Stamp: Equatable {
            let size: off_t
            let seconds: Int
            let nanoseconds: Int
            let number: ino_t
        }

        init(_ folder: String) {
            self.folder = folder
            metrics = MetricsFollower(folder + "/metrics.jsonl")
        }

        /// - Returns: whether anything has changed.
        func refresh() -> Bool {
            var isNew = metrics.refresh()
            if hasChanged(["summary.json", "config.yaml"]) || record == nil { isNew = true }
            if hasChanged(["log.txt"]) {
                isNew = true
                log = LogTail.lines(folder + "/log.txt")
            }
            if isNew { record = try? RunRecord(folder, following: metrics.events) }
            if record?.state != state { isNew = true }
            state = record?.state
            return isNew
        }

        /// The scored answers, read again when a file of them has changed: that takes a while.
        func scores(withTexts: Bool) -> JSONValue? {
            let names = [Split.test, .validation].flatMap { split in
                ["best", "last"].map { PredictionsFile.path(inRun: "", split, $0) }
            }
            if hasChanged(names), let record {
                scored = ScoredAnswers(of: record)?.json(withTexts: withTexts)
            }
            return scored
        }

        private func hasChanged(_ names: [String]) -> Bool {
            var isNew = false
            for name in names {
                var status = stat()
                let isThere = unsafe stat("\(folder)/\(name)", &status) == 0
                let now =
                    isThere
                    ? Stamp(
                        size: status.st_size, seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
                        number: status.st_ino) : nil
                if times[name] != now { isNew = true }
                times[name] = now
            }
            return isNew
        }
    }

    /// - Parameter path: the folder of a run, or of a series of seeds.
    init(_ path: String, withTexts: Bool = true) {
        self.path = path
        self.withTexts = withTexts
    }

    /// Looks again.
    /// - Returns: whether anything has changed.
    mutating func refresh() -> Bool {
        let folders = RunRecord.folders(at: path)
        var isNew = false
        if folders != followers.map(\.folder) {
            isNew = true
            followers = folders.map { folder in
                (folder, followers.first { $0.folder == folder }?.follower ?? FollowedRun(folder))
            }
        }
        for (_, follower) in followers where follower.refresh() { isNew = true }
        return isNew
    }

    /// The runs that there are by now.
    var runs: [RunRecord] { followers.compactMap(\.follower.record) }

    /// The newest lines of the newest run's log.
    var log: [String] { followers.last { $0.follower.record != nil }?.follower.log ?? [] }

    /// What the run is doing, of a series the running or the newest one; nil before there is any.
    var status: LiveStatus? {
        (runs.last { $0.state == .running } ?? runs.last).map { LiveStatus($0, log: log) }
    }

    /// The contents of a live page: a report's, and what is going on.
    var contents: JSONValue {
        let runs = runs
        guard let status else {
            return .object([
                .init("title", .string(ReportText.shown(path))), .init("sentence", .string("The run begins.")),
                .init("runs", .array([])), .init("scored", .array([])), .init("data", .array([])),
                .init("live", LiveStatus.nothing),
            ])
        }
        let scored = runs.count == 1 ? followers.first?.follower.scores(withTexts: withTexts) : nil
        var contents = ReportData.json(runs, scored: scored)
        contents["live"] = status.json
        contents["note"] = nil
        contents["made"] = .string(
            "A live page of apus \(Build.version): it follows the files in the folder of the run. When the run has "
                + "ended, report.html is there to keep.")
        return contents
    }
}

/// The end of a run's log.
enum LogTail {
    private static let mostBytes = 32 << 10
    private static let mostLines = 200

    /// The newest whole lines, safe to show.
    static func lines(_ path: String) -> [String] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        let start = max(0, Int(status.st_size) - mostBytes)
        var buffer = [UInt8](repeating: 0, count: mostBytes)
        let count = unsafe pread(descriptor, &buffer, buffer.count, off_t(start))
        guard count > 0, let end = buffer[..<count].lastIndex(of: 0x0A) else { return [] }
        var lines = buffer[..<end].split(separator: 0x0A, omittingEmptySubsequences: false)
        if start > 0 { lines = Array(lines.dropFirst()) }
        return lines.suffix(mostLines).map { ReportText.shown(String(decoding: $0, as: UTF8.self)) }
    }
}
