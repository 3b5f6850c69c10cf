import Foundation
import Testing

/// The command printed at the end of a run gives its bits, for every way a run can end; or none is printed.
@Suite struct ReproduceTests {
    let job: SmallJob
    static let options = ["--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]
    /// The rate falls to 0 with the last step.
    static let falling = ["--schedule", "linear", "--warmup-steps", "1"]

    init() throws { job = try SmallJob() }

    /// Runs the command that a run printed, into a folder of its own, and compares.
    private func expectReproduced(_ output: String, location: SourceLocation = #_sourceLocation) throws {
        let run = try FinishedRun(job, output)
        var command = try #require(run.summary["reproduce"] as? String, sourceLocation: location)
        #expect(
            try job.text("\(output)/log.txt").contains("the same bits elsewhere: \(command)"), sourceLocation: location)
        let again = "\(output)-again"
        if !command.hasSuffix(again) {
            command = command.replacing("--output \(job.path(output))", with: "--output \(job.path(again))")
        }
        let script = try ScriptRun(shell: "export TMPDIR='\(job.folder.path)'; \(command)")
        #expect(script.status == 0, "\(script.text)", sourceLocation: location)
        #expect(try FinishedRun(job, again).digest == run.digest, "\(command)", sourceLocation: location)
    }

    private func expectNothingClaimed(_ output: String, location: SourceLocation = #_sourceLocation) throws {
        #expect(try FinishedRun(job, output).summary["reproduce"] == nil, sourceLocation: location)
        let end = try job.text("\(output)/log.txt").split(separator: "\n").suffix(3).joined(separator: "\n")
        #expect(
            end.contains("parameters SHA-256") && !end.contains("the same bits elsewhere"), "\(end)",
            sourceLocation: location)
    }

    private func run(_ arguments: [String], location: SourceLocation = #_sourceLocation) throws {
        let run = try ApusProcess(arguments, environment: job.environment)
        #expect(run.status == 0, "\(run.complaint)", sourceLocation: location)
    }

    private func resume(_ output: String, _ options: [String] = [], location: SourceLocation = #_sourceLocation) throws
    {
        try run(["train", "--resume", "--output", job.path(output)] + options, location: location)
    }

    @Test func `in one process, over workers, and by a file of options`() throws {
        let options = Self.options.filter { $0 != "--lanes" && $0 != "4" } + Self.falling + ["--max-steps", "5"]
        try run(job.command("train", options))
        try expectReproduced("train")
        try run(job.launch("launch", workers: 2, options))
        try expectReproduced("launch")
        try run(["launch", "--single"] + job.command("single", options).dropFirst())
        try expectReproduced("single")
        try job.write("job.yaml", "learning-rate: 2e-3\nmax-steps: 4\nlanes: 2\n")
        try run(job.command("file", ["--config", job.path("job.yaml")]))
        try expectReproduced("file")
    }

    @Test func `with coordinator and workers started by hand, and placed by an engine`() throws {
        let hand = try HandStarted(job, workers: 2, "--max-steps", "6")
        let end = hand.coordinator.end()
        #expect(end.status == 0, "\(end.complaint)")
        try expectReproduced("run")
        let port = try HandStartedTests().freePort()
        let words = [
            "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(port)",
        ]
        let rank = try RunningApus(
            ["work", "--threads", "1", "--insecure"]
                + job.command("placed", Self.options + ["--max-steps", "4"]).dropFirst(),
            environment: job.environment.merging(words) { $1 })
        #expect(rank.end().status == 0)
        try expectReproduced("placed")
    }

    @Test func `ended by patience, and resumed after it was cut off`() throws {
        let patient = [
            "--patience", "1", "--learning-rate", "0", "--batch-size", "8", "--epochs", "5", "--checkpoint-every", "2",
            "--keep", "9",
        ]
        try run(job.command("patient", patient, validation: true))
        #expect(try FinishedRun(job, "patient").summary["stopped_early"] as? Bool == true)
        try expectReproduced("patient")
        try job.cutOff("patient", after: 2, into: "cut")
        try resume("cut")
        try expectReproduced("cut")
        try run(
            job.command(
                "whole", Self.options + Self.falling + ["--epochs", "2", "--checkpoint-every", "2", "--keep", "9"]))
        try job.cutOff("whole", after: 4, into: "falling")
        try resume("falling")
        try expectReproduced("falling")
    }

    @Test func `after the coordinator was killed`() throws {
        let run = try RunningApus(
            job.launch("run", workers: 1, Self.options + Self.falling + ["--max-steps", "100", "--epochs", "1000"]),
            environment: job.environment)
        try run.waitForEpoch(2)
        kill(try #require(job.coordinators.first), SIGKILL)
        #expect(run.end().status == 0)
        try expectReproduced("run")
    }

    @Test func `data that cannot be read again are claimed for no command`() throws {
        let command = job.command("run", ["--max-steps", "2", "--input-format", "tsv", "--train", "/dev/stdin"])
        let run = try ApusProcess(command, input: job.text("train.tsv"), environment: job.environment)
        #expect(run.status == 0, "\(run.complaint)")
        try expectNothingClaimed("run")
    }

    @Test func `each of several seeds`() throws {
        try run(job.command("seeds", Self.options + ["--seeds", "1,2", "--epochs", "1"]))
        let command = try #require(try FinishedRun(job, "seeds/seed-2").summary["reproduce"] as? String)
        let script = try ScriptRun(shell: command.replacing(job.path("seeds"), with: job.path("again")))
        #expect(script.status == 0, "\(script.text)")
        for seed in ["seed-1", "seed-2"] {
            #expect(try FinishedRun(job, "again/\(seed)").digest == FinishedRun(job, "seeds/\(seed)").digest)
        }
    }

    @Test func `made longer under a rate that does not change`() throws {
        try run(job.command("run", Self.options + ["--epochs", "1"], validation: true))
        try resume("run", ["--epochs", "2"])
        try expectReproduced("run")
    }

    @Test func `made longer before its first checkpoint`() throws {
        try run(job.command("whole", Self.options + Self.falling + ["--epochs", "1"]))
        try job.cutOff("whole", after: 0, into: "run")
        try resume("run", ["--epochs", "2"])
        try expectReproduced("run")
    }

    @Test func `a falling rate that fell for a shorter run is claimed for no command, now and after the next stop`()
        throws
    {
        try run(
            job.command(
                "run", Self.options + Self.falling + ["--epochs", "1", "--checkpoint-every", "1", "--keep", "9"]))
        try resume("run", ["--epochs", "2"])
        try expectNothingClaimed("run")
        // Cut off before and after the first checkpoint of the longer run.
        for step in [3, 5] {
            try job.cutOff("run", after: step, into: "cut-\(step)")
            try resume("cut-\(step)")
            try expectNothingClaimed("cut-\(step)")
            #expect(try FinishedRun(job, "cut-\(step)").digest == FinishedRun(job, "run").digest)
        }
        try run([
            "launch", "--workers", "1", "--threads", "1", "--resume", "--output", job.path("run"), "--epochs", "3",
        ])
        try expectNothingClaimed("run")
    }

    @Test func `a lambda that changed with a shorter run is claimed for no command`() throws {
        let options =
            try TaskJob.joint.options(job) + [
                "--lambda-schedule", "linear", "--lambda-end", "0.1", "--epochs", "1", "--batch-size", "8",
            ]
        try run(job.command("run", options))
        try resume("run", ["--epochs", "2"])
        try expectNothingClaimed("run")
    }

    @Test
    func `a step that was scored as the last one and counts for patience or as the best is claimed for no command`()
        throws
    {
        for (name, options) in [("patient", ["--patience", "3"]), ("best", ["--learning-rate", "0"])] {
            try run(
                job.command(
                    name, ["--batch-size", "8", "--lanes", "4", "--max-steps", "2", "--epochs", "3"] + options,
                    validation: true))
            try resume(name, ["--max-steps", "6"])
            try expectNothingClaimed(name)
        }
    }

    @Test func `a run that is asked to end before where it is is refused, and nothing is touched`() throws {
        try run(job.command("run", Self.options + ["--epochs", "2"]))
        for unfinished in [false, true] {
            if unfinished { try FileManager.default.removeItem(atPath: job.path("run/summary.json")) }
            let before = try job.contents()
            for shorter in [["--max-steps", "4"], ["--epochs", "1"]] {
                expectOneLine(
                    try ApusProcess(["train", "--resume", "--output", job.path("run")] + shorter), status: 2,
                    "is already after step 6", "at least 6 steps")
            }
            #expect(try job.contents() == before)
        }
        try resume("run", ["--max-steps", "6"])
        try expectReproduced("run")
    }
}
