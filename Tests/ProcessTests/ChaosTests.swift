import Foundation
import Testing

/// `apus chaos` with real processes.
@Suite struct ChaosTests {
    /// Runs 3 to 7: workers are killed in each, one is slowed in two, the coordinator is killed in one, and one is
    /// frozen past the deadline in one.
    @Test func `five disturbed runs end with the bits of the undisturbed one`() throws {
        let run = try ApusProcess(
            "chaos", "--workers", "2", "--first", "3", "--runs", "5", "--", "--epochs", "4", "--checkpoint-every", "20")
        #expect(run.status == 0, "\(run.output)\(run.complaint)")
        #expect(
            run.output.split(separator: "\n").count { $0.hasPrefix("run ") && $0.contains("same SHA-256") } == 5,
            "\(run.output)")
        #expect(run.output.contains("5 ended with the SHA-256 of the undisturbed run"), "\(run.output)")
        #expect(
            run.output.contains("killed the coordinator") && run.output.contains("froze a worker for 4.0 s"),
            "\(run.output)")
    }

    @Test func `what is killed while a checkpoint is written resumes to the same bits`() throws {
        let run = try ApusProcess(
            "chaos", "--everything", "--workers", "2", "--runs", "2", "--", "--epochs", "3", "--checkpoint-every", "10")
        #expect(run.status == 0, "\(run.output)\(run.complaint)")
        #expect(run.output.contains("2 ended with the SHA-256 of the undisturbed run"), "\(run.output)")
        #expect(run.output.contains("killed everything"), "\(run.output)")
    }

    @Test func `a job that runs is disturbed by the process id of its launcher`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2)
        try run.waitForEpoch(2)
        let visit = try ApusProcess("chaos", "--launcher", "\(run.id)", "--runs", "1", "--spare-coordinator")
        #expect(visit.status == 0, "\(visit.complaint)")
        #expect(visit.output.contains("run 1: ") && visit.output.contains(" a worker at step "), "\(visit.output)")
        try job.expectUndisturbed(run, "run")
    }

    @Test func `bad usage is refused in one line before any work`() throws {
        let output = ["chaos", "--", "--output", "x"]
        expectOneLine(try ApusProcess(output), status: 2, "--output cannot be set here")
        expectOneLine(try ApusProcess("chaos", "--runs", "0"), status: 2, "--runs is 0")
        expectOneLine(try ApusProcess("chaos", "--launcher", "1"), status: 2, "process 1 is not an apus launch")
        expectOneLine(
            try ApusProcess("chaos", "--launcher", "1", "--everything"), status: 2, "--launcher disturbs a running job")
    }
}
