import Foundation
import Testing

/// What a run writes down about itself never ends it, and tells of all of it.
@Suite struct MetricsFileTests {
    @Test func `a run goes on although its metrics became a folder`() throws {
        let job = try SmallJob()
        try job.train("run", "--max-steps", "4")
        let whole = try job.train("whole", "--max-steps", "8")
        try FileManager.default.removeItem(atPath: job.path("run/metrics.jsonl"))
        try FileManager.default.createDirectory(
            atPath: job.path("run/metrics.jsonl"), withIntermediateDirectories: false)
        let resumed = try ApusProcess(["train", "--resume", "--output", job.path("run"), "--max-steps", "8"])
        #expect(resumed.status == 0, "\(resumed.complaint)")
        #expect(resumed.output.contains("METRICS FELL BEHIND: ") && resumed.output.contains("training continues"))
        let summary = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("run/summary.json")) as? [String: Any])
        #expect(summary["parameters_sha256"] as? String == whole.digest)
        #expect(job.exists("run/report.html"))
    }

    @Test func `the figures of a resumed run are those of all its steps`() throws {
        let job = try SmallJob()
        try job.train("run", "--max-steps", "5", "--batch-size", "8")
        let run = try job.resume("run", "--max-steps", "9")
        let seconds = run.events("step").compactMap { $0["seconds"] as? Double }.reduce(0, +)
        let samples = run.events("step").compactMap { $0["samples"] as? Int }.reduce(0, +)
        #expect(run.steps == Array(1...9))
        #expect(abs(try #require(run.summary["training_seconds"] as? Double) - seconds) < 1e-9)
        let speed = try #require(run.summary["samples_per_second"] as? Double)
        #expect(abs(speed - Double(samples) / seconds) < 1e-6 * speed)
        #expect(run.events("start").map { $0["after_step"] as? Int } == [0, 5])
        #expect(run.events("start").allSatisfy { $0["total_steps"] is Int && $0["host"] is String })
    }

    @Test func `sixty epochs do not fill a pipe, and the log has each of them`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", ["--epochs", "60", "--batch-size", "8"], validation: true))
        #expect(run.status == 0)
        #expect(run.output.split(separator: "\n").count < 60, "\(run.output)")
        let log = try job.text("run/log.txt")
        for epoch in 1...60 { #expect(log.contains("epoch \(epoch)/60: loss ")) }
    }

    @Test func `words with commas stay in their cells of a table`() throws {
        let job = try SmallJob()
        try job.train("run", "--max-steps", "2")
        let lines = try job.text("run/metrics.jsonl")
        try job.write(
            "run/metrics.jsonl",
            lines + "{\"event\":\"generation_end\",\"reason\":\"a, \\\"b\\\"\\nc\",\"after_step\":2}\n")
        let csv = try ApusProcess("runs", "--csv", job.path("run"))
        #expect(csv.output.hasSuffix(",\"a, \"\"b\"\"\nc\",") || csv.output.contains(",\"a, \"\"b\"\"\nc\","))
    }
}
