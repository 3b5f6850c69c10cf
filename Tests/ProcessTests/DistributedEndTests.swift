import Foundation
import Testing

/// However a launched run ends, none of its processes continues, and its status is that of the cause.
@Suite struct DistributedEndTests {
    @Test func `a signal ends the job after a checkpoint, from which the printed command goes on`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(2)
        run.send(SIGINT)
        let end = run.end()
        #expect(end.status == 130)
        let last = try #require(end.complaint.last { $0.hasPrefix("apus: stopped after step ") }, "\(end.complaint)")
        let step = try #require(last.firstMatch(of: /after step ([0-9]+)/).flatMap { Int($0.1) })
        #expect(job.exists("run/checkpoints/step-\(step)/manifest.json"))
        #expect(job.processes.isEmpty)
        let command = try #require(last.components(separatedBy: "resume with: ").last)
        let more = try ScriptRun(shell: "\(command) --max-steps \(step + 2)")
        #expect(more.status == 0, "\(more.text)")
        let whole = try ApusProcess(job.command("whole", SmallJob.endless + ["--max-steps", "\(step + 2)"]))
        #expect(whole.status == 0)
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "whole").digest)
    }

    @Test func `a second signal ends everything at once`() throws {
        let job = try SmallJob()
        let log = try FullLog(job, "run")
        let run = try job.startEndless("run", workers: 2)
        log.waitUntilFull(for: try job.waitForCoordinator())
        let relatives = job.processes
        run.send(SIGINT)
        try run.waitForLine(of: .launcher)
        run.sendUntilEnd(SIGINT)
        #expect(run.end().status == 130)
        try job.expectGone(relatives, within: 10)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: job.folder.path).allSatisfy { !$0.hasPrefix("apus-") })
        withExtendedLifetime(log) {}
    }

    @Test func `when the launcher is killed its children end within ten seconds`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 3)
        try run.waitForEpoch(2)
        let relatives = job.processes
        #expect(relatives.count == 5)
        run.send(SIGKILL)
        try job.expectGone(relatives, within: 10)
        #expect(run.end().status == SIGKILL)
    }

    /// The coordinator blocks on its log and cannot end by itself.
    @Test func `a coordinator that cannot end is ended too when the launcher is killed`() throws {
        let job = try SmallJob()
        let log = try FullLog(job, "run")
        let run = try job.startEndless("run", workers: 1)
        log.waitUntilFull(for: try job.waitForCoordinator())
        let relatives = job.processes
        run.send(SIGKILL)
        try job.expectGone(relatives, within: 12)
        withExtendedLifetime(log) {}
    }

    /// OpenBLAS says which kernels it takes when a process loads it.
    @Test func `what a worker says comes with its number`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(
            job.launch("run", workers: 3, ["--max-steps", "1", "--blas", "openblas"]),
            environment: job.environment.merging(["OPENBLAS_VERBOSE": "2"]) { $1 })
        #expect(run.status == 0, "\(run.complaint)")
        for number in 0..<3 { #expect(run.complaint.contains("[\(number)] Core: "), "\(run.complaint)") }
    }

    @Test func `bad input ends the job with status 2 and one line`() throws {
        let job = try SmallJob()
        try FileManager.default.removeItem(atPath: job.data)
        let run = try ApusProcess(job.launch("run", workers: 2), environment: job.environment)
        expectOneLine(run, status: 2, "train.tsv")
        #expect(job.processes.isEmpty)
        #expect(!job.exists("run"))
    }

    @Test func `a loss that is not a number ends the job with status 1, naming step and samples`() throws {
        let job = try SmallJob()
        let options = ["--learning-rate", "1e30", "--batch-size", "4", "--lanes", "2", "--checkpoint-every", "1"]
        let single = try ApusProcess(job.command("single", options))
        let run = try ApusProcess(job.launch("run", workers: 2, options), environment: job.environment)
        expectOneLine(run, status: 1, "apus: step 2: the loss or gradient of lane ", "(training samples ")
        #expect(run.complaint == single.complaint.replacing("/single/", with: "/run/"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")) == ["step-1"])
        #expect(job.processes.isEmpty)
    }

    @Test func `a signal ends a wait for workers`() throws {
        let job = try SmallJob()
        let coordinator = try RunningApus(
            [
                "coordinate", "--workers", "2", "--endpoint", "ipc://\(job.path("control"))", "--health-file",
                job.path("health"),
            ] + job.command("run", SmallJob.endless).dropFirst())
        job.waitForFile("health")
        coordinator.send(SIGTERM)
        let end = coordinator.end()
        #expect(end.status == 143)
        #expect(end.complaint.last?.contains("while waiting for workers; start it with: ") == true, "\(end.complaint)")
    }
}
