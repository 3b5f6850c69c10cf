import Foundation
import Testing

@testable import Files
@testable import Reports
@testable import Watching

/// A run's files with numbers that no run has: whoever looks at it gets a page and lines all the same.
@Suite final class WildFiguresTests {
    private static let numbers = [
        "0", "-1", "1e308", "-1e308", "5e-324", "4503599627370497", "9223372036854775807", "-9223372036854775808",
        "18446744073709551616", "0.5", "\"nan\"", "\"1\"", "null", "true", "[]", "{}",
    ]
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "apus-wild-\(UInt32.random(in: 0 ... .max))")
    private let lock: CInt

    /// A run that counts as running, whose time left is told.
    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        lock = unsafe open(folder.path + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    }

    deinit {
        close(lock)
        try? FileManager.default.removeItem(at: folder)
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    private func event(_ kind: String, _ keys: [String], _ number: (Int) -> String) -> String {
        "{\"event\":\"\(kind)\"" + keys.enumerated().map { ",\"\($1)\":\(number($0))" }.joined() + "}\n"
    }

    @Test(arguments: numbers, numbers) func `any numbers are shown`(one: String, other: String) throws {
        let counts = ["step", "epoch", "samples", "source_samples", "tokens", "source_tokens", "recomputed"]
        let rates = ["loss", "source_loss", "learning_rate", "gradient_norm", "seconds"]
        let starts = ["total_steps", "epochs", "steps_per_epoch", "threads", "lanes", "after_step"]
        func number(_ place: Int) -> String { place % 2 == 0 ? one : other }
        var lines = event("start", starts, number)
        for step in 1...4 {
            lines += event("step", ["step"] + rates, { $0 == 0 ? "\(step)" : number($0 + step) })
            lines += event("step", counts + rates, { number($0 + step) })
        }
        lines += event("evaluation", ["step", "samples", "loss", "accuracy", "f1"], number)
        lines +=
            "{\"event\":\"generation\",\"generation\":\(one),\"workers\":[{\"rank\":\(one),\"lanes\":\(other),"
            + "\"first_lane\":\(other),\"threads\":\(one)}]}\n"
        lines += event("generation_end", ["generation", "after_step"], number)
        try write("metrics.jsonl", lines)
        var watch = RunWatch(folder.path)
        let isNew = watch.refresh()
        #expect(isNew)
        let present = watch.status
        let status = try #require(present)
        #expect(try JSONValue(parsing: Array(status.json.line.utf8))["state"]?.string != nil)
        #expect(TerminalWatch.overview(status).count >= 2)
        #expect(PrometheusText.text(status).contains("apus_step "))

        let facts = ["steps", "seed", "seconds", "best_step", "workers", "peak_resident_bytes"].enumerated()
        try write(
            "summary.json",
            "{" + facts.map { "\"\($1)\":\(number($0))," }.joined()
                + "\"test\":{\"loss\":\(one),\"accuracy\":\(other)}}")
        let run = try RunRecord(folder.path)
        #expect(ReportPage.html(ReportData.json([run, run], withTexts: true), title: "t").contains("</html>"))
    }
}
