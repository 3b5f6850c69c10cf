import Foundation
import Testing

/// Workers change nothing but the time: weights, figures and steps are the single process's.
@Suite struct DistributedBitsTests {
    static let options = [
        "--lanes", "4", "--batch-size", "6", "--epochs", "3", "--learning-rate", "1e-3", "--max-grad-norm", "0.5",
        "--optimizer", "adamw",
        "--weight-decay", "0.01", "--schedule", "linear", "--warmup-steps", "2",
    ]

    private func figures(_ run: FinishedRun) -> [[String: Double]] {
        run.events("evaluation").map { $0.filter { $0.key != "seconds" }.compactMapValues { $0 as? Double } }
    }

    @Test func `one and more threads and one to eight workers give one SHA-256 and the same figures`() throws {
        let job = try SmallJob()
        let tested = Self.options + ["--test", job.validation]
        let single = try #require(
            try ApusProcess(job.command("single", tested + ["--threads", "1"], validation: true)).status == 0
                ? FinishedRun(job, "single") : nil)
        let two = try ApusProcess(
            ["launch", "--single"] + job.command("two", tested + ["--threads", "2"], validation: true).dropFirst())
        #expect(two.status == 0)
        #expect(try FinishedRun(job, "two").digest == single.digest)
        #expect(figures(single).count == 4)
        for workers in [1, 2, 3, 4, 8] {
            let run = try ApusProcess(
                job.launch("w\(workers)", workers: workers, tested, validation: true), environment: job.environment)
            #expect(run.status == 0, "\(run.complaint)")
            let done = try FinishedRun(job, "w\(workers)")
            #expect(done.digest == single.digest, "\(workers) workers")
            #expect(done.steps == single.steps)
            #expect(figures(done) == figures(single), "\(workers) workers")
            #expect(
                done.events("step").map { $0["loss"] as? Double } == single.events("step").map { $0["loss"] as? Double }
            )
            #expect(
                done.events("step").map { $0["gradient_norm"] as? Double }
                    == single.events("step").map { $0["gradient_norm"] as? Double })
            #expect(done.summary["workers"] as? Int == workers)
            #expect(run.output.contains("on standby") == (workers > 4), "\(run.output)")
            let told = run.output.split(separator: "\n").count {
                $0.hasSuffix("22 of 22 samples computed, each exactly once")
            }
            #expect(told == 3, "\(run.output)")
            for step in done.events("step") {
                let shares = try #require(step["workers"] as? [[String: Double]])
                #expect(shares.map { $0["rank"] } == (0..<workers).map(Double.init))
                #expect(
                    shares.allSatisfy { share in ["compute", "exchange", "wait"].allSatisfy { (share[$0] ?? -1) >= 0 } }
                )
            }
            #expect(job.processes.isEmpty)
        }
    }

    @Test func `accumulated batches and lanes without samples give the same bits`() throws {
        let job = try SmallJob(samples: 9)
        let options = [
            "--lanes", "8", "--batch-size", "2", "--accumulate", "2", "--epochs", "2", "--learning-rate", "1e-3",
        ]
        let single = try job.train(
            "single", "--lanes", "8", "--batch-size", "2", "--accumulate", "2", "--epochs", "2", "--learning-rate",
            "1e-3")
        for workers in [2, 5] {
            let run = try ApusProcess(
                job.launch("w\(workers)", workers: workers, options), environment: job.environment)
            #expect(run.status == 0, "\(run.complaint)")
            #expect(try FinishedRun(job, "w\(workers)").digest == single.digest)
        }
    }

    /// 128 frames a step for the one worker, who reads none of them while it computes.
    @Test func `more frames a step than a link's queue holds arrive all the same`() throws {
        let job = try SmallJob(samples: 300)
        let options = ["--lanes", "16", "--batch-size", "16", "--accumulate", "8", "--epochs", "2", "--max-steps", "4"]
        let single = try ApusProcess(job.command("single", options))
        #expect(single.status == 0, "\(single.complaint)")
        let run = try ApusProcess(job.launch("one", workers: 1, options), environment: job.environment)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(try FinishedRun(job, "one").digest == FinishedRun(job, "single").digest)
    }

    @Test func `threads that a file asks for are those of each worker`() throws {
        let job = try SmallJob()
        try job.write("run.yaml", "threads: 3\n")
        let options = ["--max-steps", "1", "--config", job.path("run.yaml")]
        let run = try ApusProcess(
            ["launch", "--workers", "1"] + job.command("run", options).dropFirst(), environment: job.environment)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(try FinishedRun(job, "run").summary["threads"] as? Int == 3)
    }

    @Test func `a run goes on with another number of workers, and with none`() throws {
        let job = try SmallJob()
        let whole = try #require(
            try ApusProcess(job.command("whole", Self.options + ["--max-steps", "9"], validation: true)).status == 0
                ? FinishedRun(job, "whole") : nil)
        // The horizon stays: another one would change the falling rate.
        let every = Self.options + ["--max-steps", "9", "--checkpoint-every", "1", "--keep", "100"]
        let first = try ApusProcess(
            job.launch("first", workers: 3, every, validation: true), environment: job.environment)
        #expect(first.status == 0, "\(first.complaint)")
        for (step, workers) in [(2, 2), (4, 4), (7, 1)] {
            try job.cutOff("first", after: step, into: "cut-\(step)")
            let run = try ApusProcess(
                [
                    "launch", "--workers", "\(workers)", "--threads", "1", "--resume", "--output",
                    job.path("cut-\(step)"),
                ],
                environment: job.environment)
            #expect(run.status == 0, "\(run.complaint)")
            let resumed = try FinishedRun(job, "cut-\(step)")
            #expect(resumed.digest == whole.digest, "after step \(step)")
            #expect(resumed.steps == whole.steps)
            try job.cutOff("cut-\(step)", after: step + 1, into: "alone-\(step)")
            #expect(try job.resume("alone-\(step)").digest == whole.digest, "after step \(step + 1)")
        }
    }

    @Test func `only the coordinator needs the data`() throws {
        let job = try SmallJob()
        let single = try ApusProcess(job.command("single", Self.options))
        #expect(single.status == 0)
        let endpoint = "ipc://\(job.path("control"))"
        let coordinator = try RunningApus(
            ["coordinate", "--workers", "2", "--endpoint", endpoint, "--health-file", job.path("health")]
                + job.command("run", Self.options).dropFirst())
        job.waitForFile("health")
        try FileManager.default.removeItem(atPath: job.data)
        let elsewhere = try ScratchFolder()
        let workers = try (0..<2).map { _ in
            try RunningApus(["work", "--coordinator", endpoint, "--threads", "1"], from: elsewhere.path)
        }
        let end = coordinator.end()
        #expect(end.status == 0, "\(end.complaint)")
        for worker in workers {
            let end = worker.end()
            #expect(end.status == 0, "\(end.complaint)")
        }
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "single").digest)
        #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path).isEmpty)
    }
}
