import Foundation
import Testing

/// Workers are killed, suspended, added: the weights are those of an undisturbed run.
@Suite struct RecoveryTests {
    @Test(arguments: [2, 3])
    func `a killed worker is replaced and the bits stay`(workers: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: workers)
        try run.waitForEpoch(3)
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForGenerationEnd()
        try run.waitForGeneration(workers: workers)
        try run.waitForEpoch()
        let complaint = try job.expectUndisturbed(run, "run").complaint
        #expect(complaint.contains { $0.contains("signal 9") }, "\(complaint)")
    }

    @Test(arguments: [0, 1])
    func `without replacements the others go on, whichever is killed`(victim: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0")
        try run.waitForEpoch(3)
        kill(job.workers[victim], SIGKILL)
        try run.waitForGeneration(workers: 1)
        try run.waitForEpoch()
        let complaint = try job.expectUndisturbed(run, "run").complaint
        #expect(complaint.contains { $0.contains("--max-restarts") }, "\(complaint)")
    }

    @Test func `a suspended worker is left behind and comes back as new`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        let frozen = try #require(job.workers.first)
        kill(frozen, SIGSTOP)
        try run.waitForGeneration(workers: 1)
        try run.waitForEpoch()
        kill(frozen, SIGCONT)
        try run.waitForGeneration(workers: 2)
        try run.waitForEpoch()
        #expect(job.workers.contains(frozen) && job.workers.count == 2)
        try job.expectUndisturbed(run, "run")
    }

    @Test func `a worker added by hand takes part from the next generation on`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        let added = try RunningApus(["work", "--coordinator", try job.endpoint(), "--threads", "1"])
        try run.waitForGeneration(workers: 3)
        for _ in 0..<2 { try run.waitForEpoch() }
        let metrics = try FinishedRun.lines(
            job.text("run/metrics.jsonl").split(separator: "\n").dropLast().joined(separator: "\n"))
        #expect(metrics.contains { ($0["workers"] as? [Any])?.count == 3 })
        try job.expectUndisturbed(run, "run")
        #expect(added.end().status == 0)
    }

    @Test(arguments: [[], ["--checkpoint-every", "1"]])
    func `when all workers are killed at once the run goes back to its newest checkpoint`(options: [String]) throws {
        let job = try SmallJob()
        let run = try RunningApus(
            job.launch("run", workers: 2, SmallJob.endless + options), environment: job.environment)
        try run.waitForEpoch(3)
        for worker in job.workers { kill(worker, SIGKILL) }
        try run.waitForGeneration()
        try run.waitForEpoch()
        let said = try job.expectUndisturbed(run, "run").output
        #expect(said.contains { $0.contains("no worker has the state after step ") }, "\(said)")
    }

    /// All steps are in one epoch, so there is no checkpoint yet.
    @Test func `without a checkpoint a run that lost all workers begins again`() throws {
        let job = try SmallJob(samples: 4_000)
        let options = ["--batch-size", "4", "--lanes", "4", "--epochs", "1", "--learning-rate", "1e-3"]
        let whole = try ApusProcess(job.command("whole", options))
        #expect(whole.status == 0)
        let run = try RunningApus(job.launch("run", workers: 2, options), environment: job.environment)
        try run.waitForGeneration(1, workers: 2)
        try run.waitForStep(5)
        for worker in job.workers { kill(worker, SIGKILL) }
        #expect(try run.waitForGeneration() == 0)
        let end = run.end()
        #expect(end.status == 0, "\(end.complaint)")
        let line = try #require(end.output.last { $0.contains("4000 of 4000 samples") })
        #expect(line.contains("each exactly once") && line.contains("redone after losses"), "\(line)")
        let done = try FinishedRun(job, "run")
        #expect(try done.digest == FinishedRun(job, "whole").digest)
        #expect(done.steps == Array(1...1_000))
    }

    @Test func `a run whose workers are all gone for good ends with status 1 and says so`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0")
        try run.waitForEpoch(2)
        for worker in job.workers { kill(worker, SIGKILL) }
        let end = run.end()
        #expect(end.status == 1)
        #expect(end.complaint.last?.contains("0 of 2 workers left, at least 1 required") == true, "\(end.complaint)")
        #expect(job.processes.isEmpty)
    }

    @Test func `fewer workers than --min-workers end the run`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0", "--min-workers", "2")
        try run.waitForEpoch(2)
        kill(try #require(job.workers.first), SIGKILL)
        let end = run.end()
        #expect(end.status == 1)
        #expect(end.complaint.last?.contains("1 of 2 workers left, at least 2 required") == true, "\(end.complaint)")
        #expect(job.processes.isEmpty)
    }
}
