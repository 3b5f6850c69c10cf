internal import Configuration
package import Files
internal import Foundation
internal import Learning
internal import Wording

/// The contents of a report, as JSON for its script.
package enum ReportData {
    static func json(_ runs: [RunRecord], withTexts: Bool) -> JSONValue {
        json(runs, scored: runs.count == 1 ? ScoredAnswers(of: runs[0])?.json(withTexts: withTexts) : nil)
    }

    /// - Parameter scored: the answers with their scores, if there are any.
    package static func json(_ runs: [RunRecord], scored: JSONValue?) -> JSONValue {
        let names = names(of: runs)
        var members: [JSONValue.Member] = [
            .init("title", .string(ReportText.shown(runs.count == 1 ? runs[0].path : "\(runs.count) runs"))),
            .init(
                "sentence", .string(runs.count == 1 ? sentence(runs[0]) : "The curves of \(runs.count) runs, overlaid.")
            ),
            .init("runs", .array(zip(runs, names).map { run($0, name: $1) })),
            .init("comparison", comparison(runs, names)),
            .init("data", .array(runs.count == 1 ? data(runs[0]) : [])),
            .init("made", .string("Made by apus \(Build.version). The page holds all of its data and loads nothing.")),
        ]
        members.append(.init("scored", .array(scored.map { [$0] } ?? [])))
        if runs.count == 1, runs[0].state != .finished {
            members.append(
                .init("note", .string("The run is \(runs[0].state.rawValue): these are its figures so far.")))
        }
        return .object(members)
    }

    /// The shortest path suffixes that distinguish the runs.
    static func names(of runs: [RunRecord]) -> [String] {
        let parts = runs.map { $0.path.split(separator: "/").map(String.init) }
        for count in 1...max(1, parts.map(\.count).max() ?? 1) {
            let names = parts.map { $0.suffix(count).joined(separator: "/") }
            if Set(names).count == runs.count { return names.map(ReportText.shown) }
        }
        return runs.enumerated().map { "\($0 + 1): \(ReportText.shown($1.path))" }
    }

    /// The result in one sentence.
    package static func sentence(_ run: RunRecord) -> String {
        for (split, words) in [(Split.test, "test"), (.validation, "validation")] {
            let own = run.evaluations.filter { $0["split"]?.string == split.rawValue }
            guard let best = best(own, run.configuration?.metric) else { continue }
            let measure = run.configuration?.metric ?? usual(best)
            let key = measure.rawValue.replacing("-", with: "_")
            guard let value = best[key]?.double, let samples = best["samples"]?.integer else { continue }
            let place = "step \(best["step"]?.integer ?? 0) (epoch \(best["epoch"]?.integer ?? 0))"
            let name = measure.words(hasExactMatch: best["exact_match"]?.double != nil)
            return
                "\(name.prefix(1).uppercased())\(name.dropFirst()) \(decimal(value, 4)) on "
                + "\(samples) \(words) samples, by the model of \(place)."
        }
        guard let last = run.steps.last else { return "No step is done yet." }
        return "Training loss \(decimal(last.loss, 4)) in step \(last.step); nothing was scored on other data."
    }

    /// What decided in a run that was not told, see ``RunInputs/metric``.
    private static func usual(_ evaluation: JSONValue) -> Measure {
        [.entityF1, .accuracy].first { evaluation[$0.rawValue.replacing("-", with: "_")]?.double != nil } ?? .loss
    }

    /// The evaluation that decided which model is the best one.
    static func best(_ evaluations: [JSONValue], _ metric: Measure?) -> JSONValue? {
        evaluations.max { left, right in
            let measure = metric ?? usual(right)
            let key = measure.rawValue.replacing("-", with: "_")
            guard let own = right[key]?.double, let other = left[key]?.double else { return left[key]?.double == nil }
            return measure.isBetterWhenSmaller ? own < other : own > other
        }
    }

    private static func run(_ run: RunRecord, name: String) -> JSONValue {
        let scalars = shownEvaluations(run).map { event in
            JSONValue.object(
                (event.members ?? []).compactMap { member in
                    if let split = member.value.string, member.key == "split" {
                        return .init("split", .string(ReportText.shown(split)))
                    }
                    return member.value.double == nil ? nil : .init(ReportText.shown(member.key), member.value)
                })
        }
        return .object([
            .init("name", .string(name)), .init("steps", StepSeries(run.steps).json),
            .init("evaluations", .array(scalars)),
            .init(
                "events",
                .array(
                    run.events.marks.map { event in
                        .object([.init("step", .integer(event.step)), .init("text", .string(event.text))])
                    })),
            .init("facts", .array(facts(run).map { .array([.string($0), .string($1)]) })),
            .init("reproduce", run.summary?["reproduce"]?.string.map { .string(ReportText.shown($0)) } ?? .null),
        ])
    }

    /// A curve of at most this many points a split; of more evaluations every n-th, and the newest.
    private static let mostEvaluations = 600

    private static func shownEvaluations(_ run: RunRecord) -> [JSONValue] {
        var bySplit: [String: [Int]] = [:]
        for (index, event) in run.evaluations.enumerated() {
            bySplit[event["split"]?.string ?? "", default: []].append(index)
        }
        let kept = bySplit.values.flatMap { indices in
            let every = (indices.count + mostEvaluations - 1) / mostEvaluations
            return indices.enumerated().filter { ($0.offset + 1) % every == 0 || $0.offset == indices.count - 1 }
                .map(\.element)
        }
        return kept.sorted().map { run.evaluations[$0] }
    }

    private static func facts(_ run: RunRecord) -> [(String, String)] {
        guard let summary = run.summary else {
            return [("state", run.state.rawValue), ("steps so far", String(run.steps.last?.step ?? 0))]
        }
        func number(_ key: String, _ places: Int, _ unit: String = "") -> String? {
            summary[key]?.double.map { decimal($0, places) + unit }
        }
        let list: [(String, String?)] = [
            ("steps", number("steps", 0)), ("epochs", epochs(run)),
            (
                run.events.processes > 1 ? "time of the last of \(run.events.processes) processes" : "time",
                number("seconds", 1, " s")
            ), ("time of the steps", number("training_seconds", 1, " s")),
            ("samples a second", number("samples_per_second", 1)), ("tokens a second", number("tokens_per_second", 0)),
            ("peak memory", summary["peak_resident_bytes"]?.double.map { decimal($0 / 1e6, 0) + " MB" }),
            ("workers", number("workers", 0)),
            ("threads of each", number("threads", 0)), ("lanes", number("lanes", 0)), ("seed", number("seed", 0)),
            ("best step", number("best_step", 0)), ("SHA-256 of the weights", summary["parameters_sha256"]?.string),
            ("command", summary["command"]?.string.map(ReportText.shown)), ("apus", Build.version),
        ]
        return list.compactMap { name, value in value.map { (name, $0) } }
    }

    /// The epochs that were computed: of a run that `--max-steps` or patience ended, a part of what was asked for.
    private static func epochs(_ run: RunRecord) -> String? {
        guard let steps = run.summary?["steps"]?.double,
            let each = run.events.start?["steps_per_epoch"]?.double, each > 0
        else { return run.summary?["epochs"]?.double.map { decimal($0, 0) } }
        return decimal(steps / each, steps.truncatingRemainder(dividingBy: each) == 0 ? 0 : 2)
    }

    private static func data(_ run: RunRecord) -> [JSONValue] {
        let splits = run.summary?["data"]?.members ?? []
        let order = ["train", "validation", "test", "source-train", "source-validation"]
        return order.compactMap { name in splits.first { $0.key == name } }.map { split in
            .object(
                [.init("split", .string(split.key))]
                    + (split.value.members ?? []).map { $0.key == "classes" ? classes($0) : $0 })
        }
    }

    private static func classes(_ member: JSONValue.Member) -> JSONValue.Member {
        let shown = (member.value.array ?? []).map { own in
            JSONValue.object([
                .init("label", .string(ReportText.shown(own["label"]?.string ?? ""))),
                .init("count", own["count"] ?? .integer(0)),
            ])
        }
        return .init(member.key, .array(shown))
    }

    private static func comparison(_ runs: [RunRecord], _ names: [String]) -> JSONValue {
        let figures: [(String, (RunRecord) -> JSONValue?)] = [
            ("steps", { $0.summary?["steps"] ?? $0.steps.last.map { .integer($0.step) } }),
            ("training loss", { $0.steps.last.map { .point($0.loss) } }),
            ("validation loss", { $0.summary?["best_validation"]?["loss"] }),
            ("validation accuracy", { $0.summary?["best_validation"]?["accuracy"] }),
            ("test loss", { $0.summary?["test"]?["loss"] }),
            ("test accuracy", { $0.summary?["test"]?["accuracy"] }),
            ("samples/s", { $0.summary?["samples_per_second"] }),
        ]
        let used = figures.filter { figure in runs.contains { figure.1($0) != nil } }
        let rows = zip(runs, names).map { run, name in
            JSONValue.array([.string(name)] + used.map { $0.1(run) ?? .null })
        }
        return .object([
            .init("header", .array([.string("run")] + used.map { .string($0.0) })), .init("rows", .array(rows)),
            .init("differences", .array(differences(runs).map { .array($0.map { .string(ReportText.shown($0)) }) })),
        ])
    }

    /// Options in which the runs' configurations differ, each with its value in each run.
    static func differences(_ runs: [RunRecord]) -> [[String]] {
        guard runs.count > 1 else { return [] }
        return TrainingConfiguration.Key.allCases.filter { $0 != .output }.compactMap { key in
            let values = runs.map { $0.configuration?.value(key).shownInTable ?? "–" }
            return Set(values).count > 1 ? [key.rawValue] + values : nil
        }
    }
}

extension ConfigurationValue {
    fileprivate var shownInTable: String {
        switch self {
        case .absent: "–"
        case .text(let text): text
        case .list(let items): items.joined(separator: ", ")
        }
    }
}
