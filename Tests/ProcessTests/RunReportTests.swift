import Foundation
import Testing

/// The page that a run leaves, `apus report` and `apus runs`.
@Suite struct RunReportTests {
    private func data(_ page: String) throws -> [String: Any] {
        let start = try #require(page.range(of: "id=\"data\">")).upperBound
        let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
        return try #require(try JSONSerialization.jsonObject(with: Data(page[start..<end].utf8)) as? [String: Any])
    }

    private func job() throws -> (job: SmallJob, run: FinishedRun) {
        let job = try SmallJob(labels: ["bad", "good"])
        try job.write("test.tsv", SmallText.table(rows: 12, labels: ["bad", "good"], seed: 7))
        let run = try job.train(
            "runs/first", "--epochs", "2", "--batch-size", "4", "--test", job.path("test.tsv"), validation: true)
        return (job, run)
    }

    @Test func `a run leaves a page of its own figures, for its owner alone`() throws {
        let (job, run) = try job()
        let page = try data(job.text("runs/first/report.html"))
        let attributes = try FileManager.default.attributesOfItem(atPath: job.path("runs/first/report.html"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let shown = try #require((page["runs"] as? [[String: Any]])?.first)
        let steps = try #require(shown["steps"] as? [String: Any])
        #expect(steps["step"] as? [Int] == run.steps)
        for (curve, key) in [("loss", "loss"), ("gradient_norm", "gradient_norm"), ("learning_rate", "learning_rate")] {
            let values = try #require(steps[curve] as? [Double])
            for (value, event) in zip(values, run.events("step")) {
                #expect(abs(value - (try #require(event[key] as? Double))) < 1e-6)
            }
        }
        let scored = try #require((page["scored"] as? [[String: Any]])?.first)
        let test = try #require(run.summary["test"] as? [String: Any])
        #expect(scored["confusion"] as? [[Int]] == test["confusion"] as? [[Int]])
        #expect(
            abs(
                try #require(scored["calibration_error"] as? Double)
                    - (try #require(test["calibration_error"] as? Double))) < 1e-6)
        let matrix = try #require(test["confusion"] as? [[Int]])
        let mistakes = try #require(scored["mistakes"] as? [[String: Any]])
        #expect(mistakes.count == matrix[0][1] + matrix[1][0])
        let rows = try job.text("test.tsv").split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false)
        }
        for answer in try #require(scored["uncertain"] as? [[String: Any]]) + mistakes {
            let row = try #require(answer["row"] as? Int)
            #expect(answer["text"] as? String == String(rows[row][0]))
            #expect(answer["truth"] as? String == String(rows[row][1]))
        }
        #expect(shown["reproduce"] as? String == run.summary["reproduce"] as? String)
    }

    @Test func `texts stay out when asked for, and when their file has changed`() throws {
        let (job, _) = try job()
        func entries(_ page: [String: Any]) throws -> [[String: Any]] {
            try #require((page["scored"] as? [[String: Any]])?.first?["uncertain"] as? [[String: Any]])
        }
        #expect(
            try ApusProcess("report", job.path("runs/first"), "--output", job.path("bare.html"), "--no-texts").status
                == 0)
        #expect(try entries(try data(job.text("bare.html"))).allSatisfy { $0["text"] == nil })
        try job.write("test.tsv", "sentence\tlabel\nbel\tbad\n")
        #expect(try ApusProcess("report", job.path("runs/first"), "--output", job.path("changed.html")).status == 0)
        let changed = try data(job.text("changed.html"))
        #expect(try entries(changed).allSatisfy { $0["text"] == nil })
        #expect((changed["scored"] as? [[String: Any]])?.first?["lack"] != nil)
    }

    @Test func `several runs are laid over each other, listed and written as CSV`() throws {
        let (job, run) = try job()
        try job.train("runs/second", "--epochs", "1", "--batch-size", "8", "--seed", "5")
        let both = [job.path("runs/first"), job.path("runs/second")]
        #expect(try ApusProcess(["report"] + both + ["--output", job.path("both.html")]).status == 0)
        let page = try data(job.text("both.html"))
        #expect((page["runs"] as? [[String: Any]])?.map { $0["name"] as? String } == ["first", "second"])
        let differences = try #require((page["comparison"] as? [String: Any])?["differences"] as? [[String]])
        #expect(differences.contains(["batch-size", "4", "8"]) && differences.contains { $0[0] == "seed" })
        expectOneLine(try ApusProcess(["report"] + both), status: 2, "--output")

        let list = try ApusProcess("runs", job.path("runs")).output.split(separator: "\n")
        #expect(list.count == 3)
        #expect(list[1].hasPrefix("first ") && list[1].contains(run.digest.prefix(12)) && list[2].hasPrefix("second "))
        let csv = try ApusProcess("runs", "--csv", job.path("runs/first")).output.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        #expect(csv.count == 1 + run.metrics.count)
        let loss = try #require(csv[0].firstIndex(of: "loss"))
        // Digit for digit as in the file: Foundation's reader of JSON is off by the last bit.
        let lines = try job.text("runs/first/metrics.jsonl").split(separator: "\n")
        for (row, line) in zip(csv.dropFirst(), lines) {
            let written = line.firstMatch(of: /"loss":([^,}]+)/).map { String($0.1) } ?? ""
            #expect(String(row[loss]) == written)
        }
    }

    @Test func `what is no run is refused`() throws {
        let job = try SmallJob()
        expectOneLine(try ApusProcess("report", job.path("none")), status: 2, "no such folder")
        expectOneLine(try ApusProcess("report", job.path("model")), status: 2, "has no run")
        expectOneLine(try ApusProcess("runs", job.path("model")), status: 2, "has no runs")
        expectOneLine(try ApusProcess("runs", "--csv", job.path("model")), status: 2, "has no run")
        #expect(!job.exists("model/report.html"))
    }
}
