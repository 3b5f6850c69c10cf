import Foundation
import Testing

/// Options that may change between a run and its resumption, and options that may not.
@Suite struct ResumeRefusalTests {
    static let options = [
        "--batch-size", "8", "--lanes", "2", "--threads", "1", "--checkpoint-every", "2", "--max-steps", "4",
        "--epochs", "2",
    ]

    func startedJob() throws -> SmallJob {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("run", Self.options)).status == 0)
        return job
    }

    func refusal(_ job: SmallJob, _ options: [String]) throws -> ApusProcess {
        try ApusProcess(["train", "--resume", "--output", job.path("run")] + options)
    }

    @Test func `a changed option is named with both values and nothing is touched`() throws {
        let job = try startedJob()
        let before = try job.contents()
        let changes = [
            ("batch-size", "8", "16"), ("learning-rate", "5e-05", "0.001"), ("optimizer", "adam", "adamw"),
            ("weight-decay", "0.0", "0.1"),
            ("schedule", "constant", "linear"), ("warmup-steps", "0", "3"), ("accumulate", "1", "2"),
            ("max-length", "20", "24"),
            ("seed", "0", "7"), ("lanes", "2", "4"),
        ]
        for (key, saved, now) in changes {
            expectOneLine(
                try refusal(job, ["--\(key)", now]), status: 2, "cannot be resumed with other options",
                "\(key) was \(saved), now \(now)")
        }
        for (key, now) in [("max-grad-norm", "1.0"), ("dropout", "0.2"), ("task", "regression"), ("label-column", "x")]
        {
            expectOneLine(try refusal(job, ["--\(key)", now]), status: 2, "\(key) was ", ", now \(now)")
        }
        expectOneLine(try refusal(job, ["--freeze", "embeddings"]), status: 2, "freeze was [], now [embeddings]")
        expectOneLine(
            try refusal(job, ["--validation", job.validation]), status: 2, "validation was none, now \(job.validation)")
        expectOneLine(
            try refusal(job, ["--seed", "3", "--lanes", "1"]), status: 2, "seed was 0, now 3; lanes was 2, now 1")
        #expect(try job.contents() == before)
    }

    @Test func `data that grew by a byte is refused by its hash`() throws {
        let job = try startedJob()
        try job.write("train.tsv", job.text("train.tsv") + "\n")
        let before = try job.contents()
        expectOneLine(
            try refusal(job, ["--max-steps", "6"]), status: 2, "the train data has changed", "SHA-256 was",
            "restore the file, or start a new run")
        #expect(try job.contents() == before)
    }

    @Test func `a file of several that changed, came or went is named`() throws {
        let job = try SmallJob()
        for number in 1...3 {
            try job.write("part-\(number).tsv", SmallText.table(rows: 8, labels: ["0", "1"], seed: UInt64(number)))
        }
        let pattern = job.path("part-*.tsv")
        let whole = try job.train("run", "--train", pattern, "--max-steps", "2", "--batch-size", "4")
        try job.resume("run", "--train", pattern, "--max-steps", "4")
        let text = try job.text("part-2.tsv")
        try job.write("part-2.tsv", text + "\n")
        expectOneLine(try refusal(job, ["--max-steps", "6"]), status: 2, "the train data has changed", "part-2.tsv")
        try job.write("part-2.tsv", text)
        try job.write("part-4.tsv", text)
        expectOneLine(try refusal(job, ["--max-steps", "6"]), status: 2, "part-4.tsv has changed (SHA-256 was absent")
        try FileManager.default.removeItem(atPath: job.path("part-4.tsv"))
        try FileManager.default.moveItem(atPath: job.path("part-3.tsv"), toPath: job.path("part-5.tsv"))
        try job.resume("run", "--max-steps", "6")
        let names = ["part-1.tsv", "part-2.tsv", "part-5.tsv"].map(job.path)
        let listed = try job.train(
            "listed", "--train", names[0], names[1], names[2], "--max-steps", "2", "--batch-size", "4")
        #expect(listed.digest == whole.digest)
    }

    @Test func `a finished run says so`() throws {
        let job = try startedJob()
        let before = try FinishedRun(job, "run")
        let run = try refusal(job, [])
        #expect(run.status == 0)
        #expect(run.complaint.isEmpty)
        #expect(run.output.contains("is finished (4 steps): nothing to do"))
        #expect(try FinishedRun(job, "run").weights == before.weights)
    }

    @Test func `a run that patience ended says so`() throws {
        let job = try SmallJob()
        let patient = ["--patience", "1", "--learning-rate", "0", "--batch-size", "8"]
        #expect(try ApusProcess(job.command("run", patient + ["--epochs", "5"], validation: true)).status == 0)
        #expect(try FinishedRun(job, "run").summary["stopped_early"] as? Bool == true)
        let again = try ApusProcess("train", "--resume", "--output", job.path("run"), "--epochs", "9")
        #expect(again.status == 0)
        #expect(again.output.contains("nothing to do; --patience ended it"), "\(again.output)")
    }

    @Test func `more epochs and what decides no bits may change`() throws {
        let job = try SmallJob()
        try job.train("run", "--batch-size", "8", "--lanes", "2", "--epochs", "1")
        let longer = try job.resume(
            "run", "--epochs", "3", "--threads", "2", "--checkpoint-every", "1", "--keep", "5", "--max-restarts", "1")
        #expect(longer.steps == Array(1...9))
        #expect(longer.summary["epochs"] as? Int == 3)
        #expect(longer.digest == (try job.train("whole", "--batch-size", "8", "--lanes", "2", "--epochs", "3").digest))
    }

    @Test func `a changed horizon under a falling rate is announced`() throws {
        let job = try SmallJob()
        try job.train("run", "--batch-size", "8", "--lanes", "2", "--epochs", "1", "--schedule", "linear")
        let longer = try refusal(job, ["--epochs", "2"])
        #expect(longer.status == 0, "\(longer.complaint)")
        #expect(longer.output.contains("bits may differ"), "\(longer.output)")
        let same = try SmallJob()
        try same.train("run", "--batch-size", "8", "--lanes", "2", "--epochs", "1")
        #expect(!(try refusal(same, ["--epochs", "2"]).output.contains("bits may differ")))
    }

    @Test func `a damaged checkpoint is passed over for the one before it`() throws {
        let job = try startedJob()
        let whole = try FinishedRun(job, "run").digest
        let state = job.folder.url("run/checkpoints/step-4/optimizer.safetensors")
        var bytes = try Data(contentsOf: state)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: state)
        let run = try refusal(job, [])
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("passed over step-4: "))
        let resumed = try FinishedRun(job, "run")
        #expect(resumed.digest == whole)
        #expect(resumed.steps == [1, 2, 3, 4])
    }

    @Test func `what is not there cannot be resumed`() throws {
        let job = try SmallJob()
        expectOneLine(try refusal(job, []), status: 2, "run has no config.yaml", "leave out --resume")
        expectOneLine(try ApusProcess("train", "--resume"), status: 2, "add --output DIR")
        #expect(!job.exists("run"))
    }

    @Test func `a run in use is left alone`() throws {
        let job = try SmallJob()
        let running = try RunningApus(job.command("run", ["--batch-size", "8", "--epochs", "100000"]))
        try running.waitForEpoch(1)
        expectOneLine(try refusal(job, ["--threads", "1"]), status: 2, "is in use by another run", "wait for it")
        running.send(SIGINT)
        #expect(running.end().status == 130)
    }
}
