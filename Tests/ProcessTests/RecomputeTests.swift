import Foundation
import Testing

/// Recomputed activations are those of the forward pass, so nothing but memory and time changes.
@Suite struct RecomputeTests {
    @Test
    func `a run with and without recomputation has the same bits, in one process, over workers and after a resume`()
        throws
    {
        let job = try SmallJob()
        let options = [
            "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3", "--dropout", "0.1", "--epochs", "2",
        ]
        #expect(try ApusProcess(job.command("plain", options)).status == 0)
        let plain = try FinishedRun(job, "plain")
        #expect(try ApusProcess(job.command("single", options + ["--recompute"])).status == 0)
        #expect(try FinishedRun(job, "single").digest == plain.digest)
        let launched = try ApusProcess(
            job.launch("launched", workers: 2, options + ["--recompute"]), environment: job.environment)
        #expect(launched.status == 0, "\(launched.complaint)")
        #expect(try FinishedRun(job, "launched").digest == plain.digest)
        #expect(try ApusProcess(job.command("short", options + ["--max-steps", "3"])).status == 0)
        #expect(try job.resume("short", "--recompute", "--max-steps", "\(plain.steps.count)").digest == plain.digest)
    }
}
