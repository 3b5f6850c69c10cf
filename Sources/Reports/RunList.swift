internal import Configuration
internal import Console
internal import Files
internal import Foundation
internal import Learning
internal import TextData
package import Wording

/// `apus runs`: the runs in a folder, and a run's metrics as a table.
package enum RunList {
    /// A header, then a line for each run below a folder.
    /// - Throws: ``InputError`` if there is none.
    package static func lines(_ folder: String) throws(InputError) -> [String] {
        guard FileSystem.isFolder(folder) else {
            throw InputError("\(folder): there is no such folder: name the one with the runs")
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
        var runs: [RunRecord] = []
        for name in names where FileSystem.isFolder(folder + "/" + name) {
            if let found = try? RunRecord.runs(at: folder + "/" + name) { runs += found }
        }
        guard !runs.isEmpty else {
            throw InputError("\(folder) has no runs: name the folder above their output folders, such as runs")
        }
        let rows = runs.map { run in row(run, name: String(run.path.dropFirst(folder.count + 1))) }
        return aligned([["run", "state", "steps", "validation", "test", "samples/s", "seconds", "SHA-256"]] + rows)
    }

    private static func row(_ run: RunRecord, name: String) -> [String] {
        let metric = run.configuration?.metric
        func figure(_ key: String) -> String {
            guard let figures = run.summary?[key] else { return "–" }
            let measure = metric ?? (figures["accuracy"] == nil ? .loss : .accuracy)
            guard let value = figures[measure.rawValue.replacing("-", with: "_")]?.double else { return "–" }
            return "\(measure.rawValue) \(decimal(value, 4))"
        }
        func number(_ key: String) -> String { run.summary?[key]?.double.map { decimal($0, 1) } ?? "–" }
        return [
            ReportText.shown(name), run.state.rawValue, String(run.steps.last?.step ?? 0), figure("best_validation"),
            figure("test"),
            number("samples_per_second"), number("seconds"),
            String(run.summary?["parameters_sha256"]?.string?.prefix(12) ?? "–"),
        ]
    }

    /// Rows of as many cells each as lines, with the columns below each other.
    package static func aligned(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { ShownText.columns($0[column]) }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { $1 + String(repeating: " ", count: widths[$0] - ShownText.columns($1)) }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
    }

    /// The events of a run's metrics.jsonl as CSV: one row per event, one column per number or word.
    package static func csv(_ run: String) throws -> [String] {
        _ = try RunRecord(run)
        var events: [JSONValue] = []
        var lines = LineFollower(run + "/metrics.jsonl")
        _ = lines.refresh(
            restart: {}, take: { if let event = try? JSONValue(parsing: Array($0)) { events.append(event) } })
        let first = ["event", "step", "epoch", "split"]
        var others: Set<String> = []
        for event in events {
            for member in event.members ?? [] where isPlain(member.value) && !first.contains(member.key) {
                others.insert(member.key)
            }
        }
        let columns = first + others.sorted()
        return [columns.map(TableField.csv).joined(separator: ",")]
            + events.map { event in columns.map { event[$0].map(written) ?? "" }.joined(separator: ",") }
    }

    private static func isPlain(_ value: JSONValue) -> Bool { value.double != nil || value.string != nil }

    private static func written(_ value: JSONValue) -> String { value.string.map(TableField.csv) ?? value.line }
}
