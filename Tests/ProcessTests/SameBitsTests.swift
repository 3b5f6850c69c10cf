import Foundation
import Testing

/// One configuration has one SHA-256, however its steps are computed and wherever it was interrupted.
@Suite struct SameBitsTests {
    /// Everything that could depend on where a run was cut: dropout, accumulation, clipping, decay and a falling rate.
    static let demanding = [
        "--epochs", "3", "--batch-size", "4", "--accumulate", "2", "--lanes", "3", "--max-grad-norm", "0.5",
        "--optimizer", "adamw",
        "--weight-decay", "0.01", "--schedule", "linear", "--warmup-steps", "2", "--learning-rate", "1e-3", "--dropout",
        "0.1",
    ]

    /// Of 80 samples, two lanes have over 320 rows each.
    @Test(arguments: [1, 2, 3, 4], [1, 31, 33, 80])
    func `one and two threads give the same bits`(lanes: Int, batch: Int) throws {
        let job = try SmallJob(samples: 80)
        let options = [
            "--lanes", "\(lanes)", "--batch-size", "\(batch)", "--max-steps", "3", "--learning-rate", "1e-3",
        ]
        let digests = try ["1", "2"].map { threads in
            let run = try ApusProcess(job.command("threads-\(threads)", options + ["--threads", threads]))
            #expect(run.status == 0, "\(run.complaint)")
            return try FinishedRun(job, "threads-\(threads)").digest
        }
        #expect(digests[0].count == 64)
        #expect(digests[0] == digests[1])
    }

    @Test func `a command run twice gives the same bits and another seed gives others`() throws {
        let job = try SmallJob()
        let first = try job.train("first", "--epochs", "2", "--batch-size", "8", "--lanes", "2")
        let second = try job.train("second", "--epochs", "2", "--batch-size", "8", "--lanes", "2")
        let other = try job.train("other", "--epochs", "2", "--batch-size", "8", "--lanes", "2", "--seed", "1")
        #expect(first.weights == second.weights)
        #expect(first.digest == second.digest)
        #expect(first.digest != other.digest)
    }

    @Test func `launch in a single process gives the same bits`() throws {
        let job = try SmallJob()
        let options = ["--epochs", "1", "--batch-size", "8", "--lanes", "2"]
        let launched = try ApusProcess(["launch", "--single"] + job.command("launched", options).dropFirst())
        #expect(launched.status == 0, "\(launched.complaint)")
        #expect(try ApusProcess(job.command("trained", options)).status == 0)
        #expect(try FinishedRun(job, "launched").digest == FinishedRun(job, "trained").digest)
    }

    @Test func `the printed command gives the same bits`() throws {
        let job = try SmallJob()
        let first = try job.train("first", "--max-steps", "3", "--batch-size", "8")
        let again = try #require(first.summary["reproduce"] as? String)
        let run = try ScriptRun(shell: again.replacing(job.path("first"), with: job.path("second")))
        #expect(run.status == 0, "\(run.text)")
        #expect(try FinishedRun(job, "second").digest == first.digest)
    }

    @Test func `a run that ends abruptly after any step goes on to the same bits`() throws {
        let job = try SmallJob()
        let every = ["--checkpoint-every", "1", "--keep", "100"]
        let run = try ApusProcess(job.command("whole", Self.demanding + every, validation: true))
        #expect(run.status == 0, "\(run.complaint)")
        let whole = try FinishedRun(job, "whole")
        #expect(whole.steps == Array(1...9))
        for step in 1..<9 {
            try job.cutOff("whole", after: step, into: "cut-\(step)")
            let resumed = try job.resume("cut-\(step)")
            #expect(resumed.digest == whole.digest, "after step \(step)")
            #expect(resumed.steps == whole.steps, "after step \(step)")
            #expect(resumed.events("evaluation").compactMap { $0["epoch"] as? Int } == [1, 2, 3], "after step \(step)")
            #expect(
                try job.bytes("cut-\(step)/model-best/model.safetensors")
                    == job.bytes("whole/model-best/model.safetensors"))
            #expect(
                resumed.events("step").map { $0["loss"] as? Double }
                    == whole.events("step").map { $0["loss"] as? Double })
        }
    }

    @Test func `a process that dies between a checkpoint and the best model leaves the model to the resumed run`()
        throws
    {
        let job = try SmallJob()
        let options = ["--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3", "--epochs", "3", "--keep", "9"]
        #expect(try ApusProcess(job.command("whole", options, validation: true)).status == 0)
        let whole = try FinishedRun(job, "whole")
        let best = try #require(whole.summary["best_step"] as? Int)
        try job.cutOff("whole", after: best, into: "cut")
        try FileManager.default.removeItem(atPath: job.path("cut/model-best"))
        #expect(try job.resume("cut").digest == whole.digest)
        #expect(try job.bytes("cut/model-best/model.safetensors") == job.bytes("whole/model-best/model.safetensors"))
    }

    @Test func `a run made longer after any step has the bits of one that was long from the start`() throws {
        let job = try SmallJob()
        let options = ["--batch-size", "5", "--lanes", "4", "--learning-rate", "1e-3", "--epochs", "2"]
        let whole = try #require(
            try ApusProcess(job.command("whole", options + ["--max-steps", "7"])).status == 0
                ? FinishedRun(job, "whole") : nil)
        for step in 1..<7 {
            #expect(try ApusProcess(job.command("short-\(step)", options + ["--max-steps", "\(step)"])).status == 0)
            let resumed = try job.resume(
                "short-\(step)", "--max-steps", "7", "--threads", step.isMultiple(of: 2) ? "1" : "2")
            #expect(resumed.digest == whole.digest, "after step \(step)")
            #expect(resumed.steps == Array(1...7), "after step \(step)")
        }
    }

    @Test func `a batch smaller than the lanes leaves lanes empty and trains`() throws {
        let job = try SmallJob(samples: 7)
        let one = try job.train("one", "--batch-size", "2", "--lanes", "4", "--threads", "1", "--epochs", "1")
        let two = try job.train("two", "--batch-size", "2", "--lanes", "4", "--threads", "2", "--epochs", "1")
        #expect(one.digest == two.digest)
        #expect(one.events("step").compactMap { $0["samples"] as? Int } == [2, 2, 2, 1])
    }
}

extension SmallJob {
    /// Makes the folder of `run` as a process that died after `step` would have left it.
    func cutOff(_ run: String, after step: Int, into copy: String) throws {
        try FileManager.default.copyItem(atPath: path(run), toPath: path(copy))
        for name in ["summary.json", "model"] { try FileManager.default.removeItem(atPath: path("\(copy)/\(name)")) }
        for name in try FileManager.default.contentsOfDirectory(atPath: path("\(copy)/checkpoints")) {
            let saved = try #require(Int(name.dropFirst("step-".count)))
            if saved > step { try FileManager.default.removeItem(atPath: path("\(copy)/checkpoints/\(name)")) }
        }
    }
}
