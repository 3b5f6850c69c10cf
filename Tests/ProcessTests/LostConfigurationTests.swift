import Foundation
import Testing

/// config.yaml is missing, or was never written: the run resumes all the same.
@Suite struct LostConfigurationTests {
    static let options = [
        "--batch-size", "8", "--lanes", "4", "--checkpoint-every", "2", "--keep", "9", "--epochs", "2",
        "--learning-rate", "1e-3",
    ]

    private func cutRun(after step: Int) throws -> SmallJob {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("whole", Self.options)).status == 0)
        try job.cutOff("whole", after: step, into: "run")
        try FileManager.default.removeItem(atPath: job.path("run/config.yaml"))
        return job
    }

    @Test(arguments: [0, 4]) func `the journal's copy of the options is as good`(step: Int) throws {
        let job = try cutRun(after: step)
        #expect(try job.resume("run").digest == FinishedRun(job, "whole").digest)
        #expect(
            try job.text("run/config.yaml")
                == job.text("whole/config.yaml").replacing(job.path("whole"), with: job.path("run")))
    }

    @Test func `so is a checkpoint's`() throws {
        let job = try cutRun(after: 4)
        try FileManager.default.removeItem(atPath: job.path("run/journal"))
        expectOneLine(
            try ApusProcess("train", "--resume", "--output", job.path("run"), "--learning-rate", "2e-3"), status: 2,
            "learning-rate was 0.001, now 0.002")
        #expect(try job.resume("run").digest == FinishedRun(job, "whole").digest)
    }

    @Test func `a run of an older build goes on with all of its options given again`() throws {
        let job = try cutRun(after: 4)
        try job.makeOld("run")
        let before = try job.contents()
        expectOneLine(
            try ApusProcess("train", "--resume", "--output", job.path("run")), status: 2,
            "has no config.yaml and no copy of it",
            "give all options of the run again")
        #expect(try job.contents() == before)
        // The lanes are the checkpoint's.
        let run = try ApusProcess(
            job.command(
                "run",
                [
                    "--resume", "--batch-size", "8", "--checkpoint-every", "2", "--epochs", "2", "--learning-rate",
                    "1e-3",
                ]))
        #expect(run.status == 0, "\(run.complaint)")
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "whole").digest)
    }

    /// Reading the data takes longer than it takes to find the process.
    @Test func `a coordinator that is killed before it has written anything is started again`() throws {
        let job = try SmallJob(samples: 4_000)
        let options = ["--batch-size", "8", "--lanes", "2", "--max-steps", "3"]
        let run = try RunningApus(job.launch("run", workers: 1, options), environment: job.environment)
        while job.coordinators.isEmpty { usleep(1_000) }
        for coordinator in job.coordinators { kill(coordinator, SIGKILL) }
        let end = run.end()
        #expect(end.status == 0, "\(end.complaint)")
        #expect(end.complaint.contains { $0.contains("signal 9") }, "\(end.complaint)")
        #expect(try ApusProcess(job.command("whole", options)).status == 0)
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "whole").digest)
    }

    @Test func `a coordinator that loses config.yaml and its process goes on from the very step`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(3)
        try FileManager.default.removeItem(atPath: job.path("run/config.yaml"))
        kill(try #require(job.coordinators.first), SIGKILL)
        let step = try run.waitForStart()
        #expect(try run.waitForGeneration(workers: 2) == step)
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run")
    }
}
