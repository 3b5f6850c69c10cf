import Foundation
import Testing

/// A loss or gradient that is no number ends the run before the update.
@Suite struct NonFiniteTests {
    static let options = ["--learning-rate", "1e30", "--batch-size", "4", "--lanes", "2", "--threads", "2", "--checkpoint-every", "1"]

    @Test func `the step and the lane's samples are named and the last good state stays`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("run", Self.options))
        expectOneLine(run, status: 1, "apus: step 2: the loss or gradient of lane ", "(training samples ", "lower the learning rate")
        #expect(!job.exists("run/summary.json"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")) == ["step-1"])
        #expect(try FinishedRun.lines(job.text("run/metrics.jsonl")).compactMap { $0["step"] as? Int } == [1])

        let samples = try #require(run.complaint.firstMatch(of: /training samples ([0-9, ]+)\)/)).1.split(separator: ", ").compactMap {
            Int($0)
        }
        #expect(!samples.isEmpty && samples.count < 4)
        #expect(samples.allSatisfy { (0..<22).contains($0) })

        // The checkpoint is whole: from it the same step fails in the same words.
        let again = try ApusProcess("train", "--resume", "--output", job.path("run"))
        #expect(again.output.contains("resuming after step 1"))
        #expect(again.complaint == run.complaint)
        #expect(again.status == 1)
    }

    @Test func `the debug mode names where it arose`() throws {
        let job = try SmallJob()
        let command = job.command("run", Self.options).dropFirst()
        let run = try ApusProcess(["launch", "--single", "--debug"] + command)
        expectOneLine(run, status: 1, "apus: step 2: ", "it arose in the ", " of training samples ")
        let stage = try #require(run.complaint.firstMatch(of: /it arose in the (.+) of training samples/)).1
        #expect(stage.contains("layer") || stage.contains("embeddings"), "\(stage)")
    }

    @Test func `the debug mode changes no bits`() throws {
        let job = try SmallJob()
        let plain = try job.train("plain", "--max-steps", "3", "--batch-size", "8", "--lanes", "2")
        let debug = try job.train("debug", "--max-steps", "3", "--batch-size", "8", "--lanes", "2", "--debug")
        #expect(plain.digest == debug.digest)
    }
}
