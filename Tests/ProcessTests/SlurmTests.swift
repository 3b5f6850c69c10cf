import Foundation
import Testing
import Transport

/// cluster/slurm.sbatch on a real Slurm of two nodes.
///
/// One cluster at a time: the jobs of two have the same id, and so the same port.
@Suite(.serialized, .enabled(if: SlurmCluster.isPossible, "needs slurm-wlm and munge, and root"))
struct SlurmTests {
    let job: SmallJob
    static let options = ["--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3"]
    /// Steps that take some seconds, and a checkpoint now and then.
    static let long = options + ["--max-steps", "400", "--epochs", "1000000", "--checkpoint-every", "20"]

    init() throws { job = try SmallJob() }

    func expectSingle(_ output: String, _ options: [String], location: SourceLocation = #_sourceLocation) throws {
        let single = try ApusProcess(job.command("single", options))
        #expect(single.status == 0, "\(single.complaint)", sourceLocation: location)
        let run = try FinishedRun(job, output)
        #expect(try run.digest == FinishedRun(job, "single").digest, sourceLocation: location)
        #expect(run.steps == Array(1...(run.steps.last ?? 1)), sourceLocation: location)
    }

    /// A job is disturbed three times, each in another way, and ends with the bits of an undisturbed process.
    @Test
    func `a job that is requeued, stopped by a signal and loses a node's tasks gives the bits of a single process`()
        throws
    {
        let slurm = try SlurmCluster()
        let id = try slurm.submit(job, "run", Self.long)
        let events = job.path("run/metrics.jsonl")
        try slurm.wait(for: "\"event\":\"generation\"", in: events)
        try slurm.wait(for: "\"step\":25,", in: events)
        #expect(!job.exists("run/summary.json"))
        // Slurm itself ends the job's processes and starts it again.
        #expect(try slurm.run("scontrol requeue \(id)").status == 0)
        try slurm.startAgain(id)
        try slurm.wait(for: "\"event\":\"start\"", in: events, times: 2)
        try slurm.wait(for: "\"event\":\"generation\"", in: events, times: 2)
        // The tasks are told to stop: a checkpoint, and the script queues the job again.
        #expect(try slurm.run("scancel --signal=TERM \(id)").status == 0)
        try slurm.wait(for: "stopped (status 143): job \(id) queues again", in: job.path("run.log"))
        let stopped = try #require(
            try job.text("run.log").matches(of: /stopped after step ([0-9]+); resume with/).last.flatMap { Int($0.1) })
        #expect(job.exists("run/checkpoints/step-\(stopped)/manifest.json"))
        try slurm.startAgain(id)
        try slurm.wait(for: "\"after_step\":\(stopped),.*\"event\":\"start\"", in: events)
        try slurm.wait(for: "\"event\":\"generation\"", in: events, times: 3)
        // The second node's tasks are gone at once, as its processes would be with it.
        let second = try #require(
            job.workers.first { SystemFile.text("/proc/\($0)/environ")?.contains("\0SLURM_PROCID=1\0") == true })
        kill(second, SIGKILL)
        #expect(try slurm.wait(for: id, until: "COMPLETED", "FAILED") == "COMPLETED")
        #expect(try job.text("run/log.txt").contains("continuing with 1"))
        try expectSingle("run", Self.long)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: job.folder.path).allSatisfy { !$0.contains(".keys-") })
        #expect(job.processes.isEmpty)
    }

    @Test func `each task of an array has the seed of its number`() throws {
        let slurm = try SlurmCluster()
        let options = Self.options + ["--max-steps", "3"]
        _ = try slurm.submit(
            job, "run", options, slurm: "--ntasks 1 --array 3,5",
            environment: ["APUS_SECRET": String(repeating: "s3cret", count: 6)])
        for seed in [3, 5] {
            try slurm.wait(for: "parameters_sha256", in: job.path("run-seed-\(seed)/summary.json"))
            let single = try ApusProcess(job.command("single-\(seed)", options + ["--seed", "\(seed)"]))
            #expect(single.status == 0)
            #expect(try FinishedRun(job, "run-seed-\(seed)").digest == FinishedRun(job, "single-\(seed)").digest)
        }
    }

    // MARK: Bad input

    @Test func `a second node without the shared file system ends the job with a line for each task`() throws {
        let slurm = try SlurmCluster(hiding: job.folder.path)
        let id = try slurm.submit(
            job, "run", ["--coordinator-timeout", "2"], slurm: "--ntasks 2 --chdir / --no-requeue")
        #expect(try slurm.wait(for: id, until: "COMPLETED", "FAILED") == "FAILED")
        let text = try job.text("run.log")
        #expect(
            text.contains("worker-2.key is not on host ") && text.contains("on a file system that all hosts share"),
            "\(text)")
        #expect(text.contains("1 of 2 workers joined within 2 s, missing is rank 1"), "\(text)")
        #expect(job.workers.isEmpty && job.coordinators.isEmpty)
    }

    @Test func `a port that another program holds ends the job with the way to another`() throws {
        let slurm = try SlurmCluster()
        let taken = try TCPProbe.Listener(address: "127.0.0.1", port: 0)
        let id = try slurm.submit(
            job, "run", ["--coordinator-timeout", "2"],
            environment: ["APUS_PORT": "\(taken.port)", "APUS_RESTARTS": "0"])
        #expect(try slurm.wait(for: id, until: "COMPLETED", "FAILED") == "FAILED")
        let text = try job.text("run.log")
        #expect(
            text.contains("listening at 127.0.0.1:\(taken.port): the address is in use")
                && text.contains("another port: APUS_PORT"), "\(text)")
        #expect(text.contains("no coordinator answers at tcp://127.0.0.1:\(taken.port) within 2"), "\(text)")
        #expect(!job.exists("run"))
    }
}
