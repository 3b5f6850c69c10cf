import Foundation
import Testing

/// `apus data`, and what a run says of its data.
@Suite struct DataCommandTests {
    private static let train = "text,label\ngood,pos\ngood,neg\n,pos\nbad,Pos \nfine,pos\nfine,pos\n"

    @Test func `splits and warnings are said as text and as JSON`() throws {
        let job = try SmallJob()
        try job.write("a.csv", Self.train)
        try job.write("dev.csv", "text,label\ngood,pos\nnew,neg\n")
        let files = ["data", job.path("a.csv"), job.path("dev.csv"), "--model", job.model, "--max-length", "3"]
        let run = try ApusProcess(files)
        #expect(run.status == 0, "\(run.complaint)")
        for line in [
            "train: 6 rows of", "validation labels: neg 1 (50.0 %), pos 1 (50.0 %)", "--max-length 3 cuts",
            "warning: validation: 1 text of 2 is in the training data too", "dev.csv:2", "5 warnings",
        ] { #expect(run.output.contains(line), "\(line): \(run.output)") }
        let json = try ApusProcess(files + ["--json"])
        let report = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let warnings = try #require(report["warnings"] as? [[String: Any]])
        #expect(
            warnings.compactMap { $0["kind"] as? String } == [
                "shared-with-training", "similar-labels", "two-labels", "empty-texts", "repeated-texts",
            ])
        let splits = try #require(report["splits"] as? [[String: Any]])
        #expect(splits.compactMap { $0["rows"] as? Int } == [6, 2])
        #expect((splits[0]["tokens"] as? [String: Any])?["longest"] as? Int ?? 0 >= 3)
    }

    @Test func `what a run would refuse is refused`() throws {
        let job = try SmallJob()
        try job.write("a.csv", "text,label\n\"good,pos\n")
        expectOneLine(try ApusProcess("data", job.path("a.csv")), status: 2, "a quote is never closed")
        expectOneLine(try ApusProcess("data", job.path("b.csv")), status: 2, "there is no such file")
        expectOneLine(try ApusProcess("data", job.data, "--max-length", "9"), status: 2, "--model")
    }

    @Test func `a run says in one line what is worth a look`() throws {
        let job = try SmallJob()
        try job.write("a.csv", Self.train)
        let run = try ApusProcess(job.command("run", ["--train", job.path("a.csv"), "--max-steps", "1"]))
        #expect(run.status == 0, "\(run.complaint)")
        let lines = run.output.split(separator: "\n").filter { $0.contains("worth a look") }
        #expect(lines.count == 1 && lines[0].contains("differ only in case or spaces: \"Pos\" and \"pos\""), "\(lines)")
    }
}
