import Files
import Foundation
import Runs
import Testing

/// Journals and checkpoints whose digests are right and whose numbers no run writes.
@Suite struct OddJournalTests {
    static let options = [
        "--batch-size", "8", "--lanes", "2", "--checkpoint-every", "2", "--keep", "9", "--epochs", "2",
    ]

    @Test(
        arguments: [
            [.counted(from: -5, through: 6)], [.counted(from: 5, through: .max)], [.moved(to: -1)], [.moved(to: .min)],
            [.generation(.max)],
        ] as [[JournalEntry]])
    func `a coordinator passes such a journal over and goes on from the checkpoint`(entries: [JournalEntry]) throws {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("whole", Self.options)).status == 0)
        try job.cutOff("whole", after: 4, into: "run")
        _ = try RecordLog(
            job.path("run/journal"), records: ([.run(id: 5, after: 4), .generation(1)] + entries).map(\.bytes))
        let run = try ApusProcess("launch", "--workers", "1", "--threads", "1", "--resume", "--output", job.path("run"))
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("passed over the journal: "), "\(run.output)")
        #expect(try FinishedRun(job, "run").digest == FinishedRun(job, "whole").digest)
    }

    @Test func `a checkpoint with such numbers is refused in one line`() throws {
        let job = try SmallJob()
        #expect(try ApusProcess(job.command("run", Self.options)).status == 0)
        let newest = "run/checkpoints/step-6"
        let changes: [(inout StateFiles.Record) -> Void] = [
            { $0.progress.step = -1 }, { $0.progress.step = .max }, { $0.progress.step = 5 },
            { $0.progress.bestStep = -7 },
            { $0.touched[$0.touched.count - 1] |= 1 << 63 }, { $0.touched.removeLast() },
        ]
        for change in changes {
            let was = try StateFiles.record(job.path(newest))
            try job.changeState(newest, change)
            let before = try job.contents()
            for command in [["train"], ["launch", "--workers", "1", "--threads", "1"]] {
                let run = try ApusProcess(command + ["--resume", "--output", job.path("run"), "--epochs", "3"])
                #expect(run.status == 2 && run.complaint.contains("step-6"), "\(run.complaint)")
            }
            #expect(try job.contents() == before)
            try job.changeState(newest) { $0 = was }
        }
    }
}
