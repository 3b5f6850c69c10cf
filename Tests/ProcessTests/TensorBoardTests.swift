import Foundation
import Testing

/// A run's TensorBoard files have the values of metrics.jsonl, each point once.
@Suite struct TensorBoardTests {
    private func expectEqual(_ run: FinishedRun, _ files: EventFiles, location: SourceLocation = #_sourceLocation) {
        for (tag, key) in [
            ("train/loss", "loss"), ("train/learning_rate", "learning_rate"), ("train/gradient_norm", "gradient_norm"),
        ] {
            let expected = run.events("step").map {
                EventFiles.Point(tag: tag, step: $0["step"] as? Int ?? 0, value: Float($0[key] as? Double ?? 0))
            }
            #expect(files.values(tag) == expected, "\(tag)", sourceLocation: location)
        }
        for split in ["validation", "test"] {
            for key in ["loss", "accuracy", "macro_f1"] {
                let events = run.events("evaluation").filter { $0["split"] as? String == split }
                let tag = "\(split)/\(key)"
                let expected = events.map {
                    EventFiles.Point(tag: tag, step: $0["step"] as? Int ?? 0, value: Float($0[key] as? Double ?? 0))
                }
                #expect(files.values(tag) == expected, "\(tag)", sourceLocation: location)
            }
        }
    }

    @Test func `every figure of a run is there`() throws {
        let job = try SmallJob()
        let run = try job.train("run", "--epochs", "2", "--batch-size", "4", "--test", job.validation, validation: true)
        let files = try EventFiles(job.path("run/tensorboard"))
        expectEqual(run, files)
        #expect(files.texts == ["configuration/text_summary"])
        #expect(files.values("validation/f1/LABEL_0").count == 2)
        let bytes = try FileManager.default.contentsOfDirectory(atPath: job.path("run/tensorboard")).reduce(0) {
            $0 + (try job.bytes("run/tensorboard/\($1)").count)
        }
        #expect(bytes < 4_000 + 100 * files.points.count)
    }

    @Test func `resumed and redone steps go on in the same curves`() throws {
        let job = try SmallJob()
        let endless = SmallJob.endless + ["--checkpoint-every", "5", "--validation", job.validation]
        let run = try RunningApus(job.command("run", endless))
        try run.waitForEpoch(4)
        run.send(SIGKILL)
        _ = run.end()
        let metrics = try job.text("run/metrics.jsonl")
        let reached = try #require(metrics.matches(of: /"step":([0-9]+)/).compactMap { Int($0.1) }.max())
        let resumed = try job.resume("run", "--max-steps", "\(reached + 3)")
        expectEqual(resumed, try EventFiles(job.path("run/tensorboard")))
        let longer = try job.resume("run", "--max-steps", "\(reached + 5)")
        expectEqual(longer, try EventFiles(job.path("run/tensorboard")))
    }

    @Test func `after the coordinator was killed each point is there once, and workers have curves too`() throws {
        let job = try SmallJob()
        let run = try job.startEndless("run", workers: 2, "--validation", job.validation)
        for _ in 0..<2 {
            try run.waitForEvaluation(of: "validation")
            kill(try #require(job.coordinators.last), SIGKILL)
            try run.waitForStart()
            // Only a generation that commits a step has a point.
            try run.waitForEpoch()
        }
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForGeneration(workers: 2)
        try run.waitForEpoch()
        run.send(SIGINT)
        #expect(run.end().status == 130)
        let metrics = try FinishedRun.lines(job.text("run/metrics.jsonl"))
        let last = try #require(metrics.compactMap { $0["step"] as? Int }.max())
        let resumed = try job.resume("run", "--max-steps", "\(last + 2)")
        let files = try EventFiles(job.path("run/tensorboard"))
        expectEqual(resumed, files)
        #expect(Set(files.values("workers/count").map(\.value)).contains(2))
        #expect(files.values("workers/generation").count >= 3)
    }

    @Test func `it can be left out, and a folder that cannot be written stops no run`() throws {
        let job = try SmallJob()
        try job.train("none", "--max-steps", "2", "--no-tensorboard")
        #expect(!job.exists("none/tensorboard"))
        try FileManager.default.createDirectory(at: job.folder.url("run"), withIntermediateDirectories: false)
        try job.write("run/tensorboard", "a file")
        let run = try ApusProcess(job.command("run", ["--max-steps", "2"]))
        #expect(run.status == 0)
        #expect(run.output.contains("FOR TENSORBOARD FELL BEHIND"), "\(run.output)")
        #expect(try job.text("run/tensorboard") == "a file")
    }
}
