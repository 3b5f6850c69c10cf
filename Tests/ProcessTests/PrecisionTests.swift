import Foundation
import Testing

/// Products in bf16: the values, one digest however the run is computed, and what is refused.
@Suite struct PrecisionTests {
    private static let options = ["--max-steps", "4", "--batch-size", "9", "--learning-rate", "1e-3"]

    /// References in float64 over rounded factors. Where this program's float32 and the reference's float64 lie on two
    /// sides of a tie, one factor differs by 2^-8 of itself: its share of a gradient may be a thousandth, and Adam's
    /// first updates magnify small gradients. Without any rounding each figure is beyond its limit.
    @Test(arguments: ["bf16", "bf16-amx", "float32"])
    func `the references in bf16 are met in bf16, and in float32 they are not`(precision: String) throws {
        let cases = ["classify", "words"].map { repository.appending(path: "Tests/Fixtures/bf16/\($0)").path }
        let run = try ApusProcess(["verify", "--precision", precision] + cases)
        #expect(run.status == 0, "\(run.complaint)")
        let reports = try FinishedRun.lines(run.output)
        #expect(reports.count == cases.count)
        for report in reports {
            for (value, most) in [
                ("hidden", 1e-5), ("logits", 1e-5), ("loss", 1e-6), ("gradients", 1e-3), ("weights", 1e-3),
            ] {
                let error = try #require(report[value] as? Double)
                #expect((error < most) == (precision != "float32"), "\(value) in \(report)")
            }
        }
    }

    @Test(arguments: ["bf16", "bf16-amx"])
    func `threads, workers and a resumed run give one digest`(precision: String) throws {
        let job = try SmallJob()
        let options = Self.options + ["--precision", precision]
        func digest(_ name: String, _ command: [String]) throws -> String {
            let run = try ApusProcess(command, environment: job.environment)
            #expect(run.status == 0, "\(run.complaint)")
            return try FinishedRun(job, name).digest
        }
        let one = try digest("one", job.command("one", options + ["--threads", "1"]))
        #expect(try digest("two", job.command("two", options + ["--threads", "2", "--recompute"])) == one)
        for workers in [2, 3] {
            #expect(try digest("w\(workers)", job.launch("w\(workers)", workers: workers, options)) == one)
        }
        _ = try digest("half", job.command("half", options + ["--max-steps", "2"]))
        let resumed = ["train", "--resume", "--output", job.path("half"), "--max-steps", "4"]
        #expect(try digest("half", resumed) == one)
        #expect(try digest("plain", job.command("plain", Self.options)) != one)
        expectOneLine(
            try ApusProcess(resumed.dropLast() + ["6", "--precision", "float32"]), status: 2,
            "precision was \(precision), now")
        // Any program reads the model, and without the option it is one like others.
        let model = ["predict", "--model", job.path("one/model"), "--input", job.data]
        let answers = try [[], ["--precision", "float32"], ["--precision", precision]].map { more in
            let run = try ApusProcess(model + more)
            #expect(run.status == 0, "\(run.complaint)")
            return run.output
        }
        #expect(answers[0] == answers[1] && answers[0] != answers[2])
    }

    @Test func `killed workers and a stop do not change the bits`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--precision", "bf16")
        for victim in [1, 0] {
            try run.waitForEpoch()
            kill(job.workers[victim], SIGKILL)
            try run.waitForGenerationEnd()
            try run.waitForGeneration(workers: 2)
        }
        try run.waitForEpoch()
        try job.expectUndisturbed(run, "run", ["--precision", "bf16"])
    }

    @Test(arguments: ["bf16", "bf16-amx"])
    func `where a precision is slow, prediction, evaluation and a dry run say so as a run does`(precision: String)
        throws
    {
        let job = try SmallJob()
        let option = ["--precision", precision]
        let run = try ApusProcess(job.command("run", Self.options + option))
        let model = ["--model", job.path("run/model"), "--input", job.data] + option
        let others = try [
            ApusProcess(["predict"] + model), ApusProcess(["evaluate"] + model),
            ApusProcess(job.command("other", Self.options + option + ["--dry-run"])),
        ]
        func says(_ run: ApusProcess) -> Bool {
            (run.output + run.complaint).contains("--precision \(precision) takes as long as")
        }
        for other in others {
            #expect(other.status == 0, "\(other.complaint)")
            #expect(says(other) == says(run))
        }
    }

    @Test func `what cannot be had is refused before any work`() throws {
        let job = try SmallJob()
        expectOneLine(
            try ApusProcess(job.command("run", ["--precision", "half"])), status: 2, "half", "float32 or bf16")
        for option in [["--precision", "bf16"], ["--precision", "bf16-amx"], ["--bf16"]] {
            expectOneLine(
                try ApusProcess(job.command("run", option + ["--blas", "openblas"])), status: 2, "precision",
                "--blas openblas")
        }
        #expect(!job.exists("run"))
    }
}
