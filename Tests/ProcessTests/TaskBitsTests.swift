import Foundation
import Testing

/// Every task has one SHA-256: in one process, over workers, and after a resume; and its model answers.
@Suite struct TaskBitsTests {
    private static let shared = [
        "--epochs", "2", "--batch-size", "8", "--lanes", "4", "--learning-rate", "1e-3", "--dropout", "0.1",
        "--accumulate", "2", "--max-grad-norm", "0.5",
        "--optimizer", "adamw", "--weight-decay", "0.01",
    ]

    @Test(arguments: TaskJob.allCases)
    func `a task gives the same bits in one process, over workers and after a resume`(task: TaskJob) throws {
        let job = try SmallJob()
        var options = try task.options(job) + Self.shared
        options += TaskJob.validation(options, job)
        let single = try ApusProcess(
            job.command("single", options + ["--threads", "2", "--checkpoint-every", "1", "--keep", "9"]))
        #expect(single.status == 0, "\(single.complaint)")
        let whole = try FinishedRun(job, "single")
        #expect(whole.digest.count == 64)
        let workers = try ApusProcess(job.launch("workers", workers: 3, options), environment: job.environment)
        #expect(workers.status == 0, "\(workers.complaint)")
        let spread = try FinishedRun(job, "workers")
        #expect(spread.digest == whole.digest)
        for key in ["loss", "source_loss", "gradient_norm", "lambda"] {
            #expect(
                spread.events("step").map { $0[key] as? Double } == whole.events("step").map { $0[key] as? Double },
                "\(key)")
        }
        for key in ["loss", "accuracy", "samples", "roc_auc", "average_precision", "calibration_error"] {
            #expect(
                spread.events("evaluation").map { $0[key] as? Double }
                    == whole.events("evaluation").map { $0[key] as? Double }, "\(key)")
        }
        for model in ["last", "best"] where task != .masked {
            let name = "predictions/validation-\(model).safetensors"
            #expect(try job.bytes("single/\(name)") == job.bytes("workers/\(name)"))
        }
        #expect(job.exists("single/predictions") == (task != .masked))
        #expect(workers.output.contains("samples computed, each exactly once"))
        try job.cutOff("single", after: 1, into: "cut")
        #expect(try job.resume("cut").digest == whole.digest)
        try expectAnswers(job, "single", options)
    }

    /// The exported folder answers and is scored as in training.
    private func expectAnswers(_ job: SmallJob, _ run: String, _ options: [String]) throws {
        let data = try #require(options.last)
        let columns = options.firstIndex(of: "--label-column").map { ["--label-column", options[$0 + 1]] } ?? []
        let predicted = try ApusProcess(["predict", "--model", job.path("\(run)/model"), "--input", data])
        #expect(predicted.status == 0, "\(predicted.complaint)")
        let lines = try FinishedRun.lines(predicted.output)
        #expect(!lines.isEmpty && lines.allSatisfy { $0["label"] != nil && $0["scores"] != nil })
        let scored = try ApusProcess(["evaluate", "--model", job.path("\(run)/model"), "--input", data] + columns)
        #expect(scored.status == 0, "\(scored.complaint)")
        let figures = try #require(try FinishedRun.lines(scored.output).first)
        let last = try #require(
            try FinishedRun(job, run).events("evaluation").last { $0["split"] as? String == "validation" })
        #expect(abs(try #require(figures["loss"] as? Double) - (try #require(last["loss"] as? Double))) < 1e-9)
    }

    @Test func `tagged words are scored by entities in every place that scores`() throws {
        let job = try SmallJob()
        let options = try TaskJob.words.options(job) + ["--epochs", "1", "--batch-size", "8", "--lanes", "2"]
        let data = try #require(options.firstIndex(of: "--train").map { options[$0 + 1] })
        #expect(try ApusProcess(job.command("run", options + ["--validation", data, "--test", data])).status == 0)
        let run = try FinishedRun(job, "run")
        let scored = try ApusProcess("evaluate", "--model", job.path("run/model"), "--input", data)
        let figures = try #require(try FinishedRun.lines(scored.output).first)
        let entities = ["entity_precision", "entity_recall", "entity_f1"]
        for key in entities {
            let expected = try #require((run.summary["validation"] as? [String: Any])?[key] as? Double)
            #expect((run.summary["test"] as? [String: Any])?[key] as? Double == expected, "\(key)")
            #expect(figures[key] as? Double == expected, "\(key)")
            for split in ["validation", "test"] {
                #expect(
                    run.events("evaluation").last { $0["split"] as? String == split }?[key] as? Double == expected,
                    "\(split) \(key)")
            }
        }
    }

    @Test(arguments: [["--from-scratch"], ["--freeze", "embeddings"]])
    func `with lambda 0 the command that began a run goes on with it`(more: [String]) throws {
        let job = try SmallJob()
        let options = try TaskJob.jointRegression.options(job) + Self.shared + more
        #expect(try ApusProcess(job.command("run", options + ["--checkpoint-every", "1", "--keep", "9"])).status == 0)
        let whole = try FinishedRun(job, "run")
        try job.cutOff("run", after: 1, into: "cut")
        let again = try ApusProcess(job.command("cut", options + ["--resume"]))
        #expect(again.status == 0, "\(again.complaint)")
        #expect(try FinishedRun(job, "cut").digest == whole.digest)
    }

    @Test func `with lambda 0 the target's own weights stay as they were`() throws {
        let job = try SmallJob()
        let options = try TaskJob.jointRegression.options(job) + Self.shared + ["--shared-layers", "2"]
        #expect(try ApusProcess(job.command("joint", options)).status == 0)
        #expect(
            try ApusProcess(job.command("start", options + ["--learning-rate", "0", "--weight-decay", "0"])).status == 0
        )
        let (moved, start) = try (job.tensors("joint"), job.tensors("start"))
        #expect(moved.keys.sorted() == start.keys.sorted() && !moved.isEmpty)
        for (name, bytes) in moved {
            let isTargetOnly =
                name.hasPrefix("classifier.") || name.hasPrefix("bert.pooler.")
                || name.hasPrefix("bert.encoder.layer.2.")
            #expect((bytes == start[name]) == isTargetOnly, "\(name)")
        }
    }

    @Test func `workers that are lost change nothing of a joint run`() throws {
        let job = try SmallJob()
        let source = try TaskJob.jointMasked.options(job)
        let endless = SmallJob.endless + source
        let run = try RunningApus(job.launch("run", workers: 3, endless), environment: job.environment)
        try run.waitForEpoch(3)
        kill(try #require(job.workers.last), SIGKILL)
        try run.waitForGenerationEnd()
        try run.waitForEpoch()
        run.send(SIGINT)
        let end = run.end()
        #expect(end.status == 130, "\(end.complaint)")
        let last = try #require(end.complaint.last { $0.contains("stopped after step ") }, "\(end.complaint)")
        let step = try #require(last.firstMatch(of: /stopped after step ([0-9]+)/).flatMap { Int($0.1) })
        let resumed = try job.resume("run", "--max-steps", "\(step + 2)")
        #expect(try ApusProcess(job.command("whole", endless + ["--max-steps", "\(step + 2)"])).status == 0)
        #expect(try FinishedRun(job, "whole").digest == resumed.digest)
    }
}

extension SmallJob {
    /// The bytes of each tensor of a run's model.
    fileprivate func tensors(_ run: String) throws -> [String: Data] {
        let file = try bytes("\(run)/model/model.safetensors")
        let size = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: file.dropFirst(8).prefix(size)) as? [String: Any])
        var tensors: [String: Data] = [:]
        for (name, entry) in header {
            guard let offsets = (entry as? [String: Any])?["data_offsets"] as? [Int] else { continue }
            tensors[name] = Data(file[(8 + size + offsets[0])..<(8 + size + offsets[1])])
        }
        return tensors
    }
}
