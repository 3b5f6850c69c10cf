import Foundation
import Testing

/// Workers are killed, suspended, added: the weights are those of an undisturbed run.
@Suite struct RecoveryTests {
    @Test(arguments: [2, 3])
    func `a killed worker is replaced and the bits stay`(workers: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: workers)
        try run.waitForOutput("epoch 3/")
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForComplaint("was ended by signal 9; a replacement starts")
        try run.waitForOutput("generation 1 ended after step ")
        try run.waitForOutput(": \(workers) workers on 1 host, after step ")
        try run.waitForOutput("each exactly once")
        try job.expectUndisturbed(run, "run")
    }

    @Test(arguments: [0, 1])
    func `without replacements the others go on, whichever is killed`(victim: Int) throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0")
        try run.waitForOutput("epoch 3/")
        kill(job.workers[victim], SIGKILL)
        try run.waitForComplaint("is not replaced again (--max-restarts)")
        try run.waitForOutput("generation 2: 1 worker on 1 host, after step ")
        try run.waitForOutput("each exactly once")
        try job.expectUndisturbed(run, "run")
    }

    @Test func `a suspended worker is left behind and comes back as new`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForOutput("epoch 3/")
        let frozen = try #require(job.workers.first)
        kill(frozen, SIGSTOP)
        try run.waitForOutput("generation 2: 1 worker on 1 host, after step ")
        try run.waitForOutput("each exactly once")
        kill(frozen, SIGCONT)
        try run.waitForOutput("generation 3: 2 workers on 1 host, after step ")
        try run.waitForOutput("each exactly once")
        #expect(job.workers.contains(frozen) && job.workers.count == 2)
        try job.expectUndisturbed(run, "run")
    }

    @Test func `a worker added by hand takes part from the next generation on`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForOutput("epoch 3/")
        let added = try RunningApus(["work", "--coordinator", try job.endpoint(), "--threads", "1"])
        try run.waitForOutput("generation 2: 3 workers on 1 host, after step ")
        for _ in 0..<2 { try run.waitForOutput("each exactly once") }
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
        try run.waitForOutput("epoch 3/")
        for worker in job.workers { kill(worker, SIGKILL) }
        try run.waitForOutput("no worker has the state after step ")
        try run.waitForOutput("each exactly once")
        try job.expectUndisturbed(run, "run")
    }

    /// All steps are in one epoch, so there is no checkpoint yet.
    @Test func `without a checkpoint a run that lost all workers begins again`() throws {
        let job = try SmallJob(samples: 4_000)
        let options = ["--batch-size", "4", "--lanes", "4", "--epochs", "1", "--learning-rate", "1e-3"]
        let whole = try ApusProcess(job.command("whole", options))
        #expect(whole.status == 0)
        let run = try RunningApus(job.launch("run", workers: 2, options), environment: job.environment)
        try run.waitForOutput("generation 1: 2 workers")
        try job.waitForStep(5, in: "run")
        for worker in job.workers { kill(worker, SIGKILL) }
        try run.waitForOutput("going back to the beginning")
        let line = try run.waitForOutput("4000 of 4000 samples computed, each exactly once")
        #expect(line.contains("redone after losses"))
        let end = run.end()
        #expect(end.status == 0, "\(end.complaint)")
        let done = try FinishedRun(job, "run")
        #expect(try done.digest == FinishedRun(job, "whole").digest)
        #expect(done.steps == Array(1...1_000))
    }

    @Test func `a run whose workers are all gone for good ends with status 1 and says so`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0")
        try run.waitForOutput("epoch 2/")
        for worker in job.workers { kill(worker, SIGKILL) }
        let end = run.end()
        #expect(end.status == 1)
        #expect(end.complaint.last?.contains("0 of 2 workers left, at least 1 required") == true, "\(end.complaint)")
        #expect(job.processes.isEmpty)
    }

    @Test func `fewer workers than --min-workers end the run`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--max-restarts", "0", "--min-workers", "2")
        try run.waitForOutput("epoch 2/")
        kill(try #require(job.workers.first), SIGKILL)
        let end = run.end()
        #expect(end.status == 1)
        #expect(end.complaint.last?.contains("1 of 2 workers left, at least 2 required") == true, "\(end.complaint)")
        #expect(job.processes.isEmpty)
    }
}

extension SmallJob {
    /// Follows a run's metrics until they tell of a step.
    func waitForStep(_ step: Int, in output: String, location: SourceLocation = #_sourceLocation) throws {
        let run = try ScriptRun(
            shell:
                "timeout 60 tail -n +1 -s 0.02 -F '\(path("\(output)/metrics.jsonl"))' | grep -m 1 '\"step\":\(step),'")
        #expect(run.status == 0, sourceLocation: location)
    }
}
