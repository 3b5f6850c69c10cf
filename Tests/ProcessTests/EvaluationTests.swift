import Foundation
import Testing

/// When a run evaluates, and the files of an evaluation.
@Suite struct EvaluationTests {
    private static let options = ["--epochs", "2", "--batch-size", "4", "--lanes", "2", "--learning-rate", "1e-3"]

    private func evaluatedSteps(_ run: FinishedRun) -> [Int] {
        run.events("evaluation").filter { $0["split"] as? String == "validation" }.compactMap { $0["step"] as? Int }
    }

    @Test func `evaluations within an epoch come beside those at its end and change no weight`() throws {
        let job = try SmallJob()  // 22 samples: 6 steps an epoch
        let plain = try job.train(
            "plain", "--epochs", "2", "--batch-size", "4", "--lanes", "2", "--learning-rate", "1e-3", validation: true)
        let often = try ApusProcess(job.command("often", Self.options + ["--eval-every", "4"], validation: true))
        #expect(often.status == 0, "\(often.complaint)")
        let run = try FinishedRun(job, "often")
        #expect(evaluatedSteps(plain) == [6, 12])
        #expect(evaluatedSteps(run) == [4, 6, 8, 12])
        #expect(run.digest == plain.digest)
        let best = try #require(run.summary["best_step"] as? Int)
        let short = try job.train(
            "short", "--epochs", "2", "--batch-size", "4", "--lanes", "2", "--learning-rate", "1e-3", "--max-steps",
            "\(best)")
        #expect(try job.bytes("often/model-best/model.safetensors") == short.weights)
    }

    @Test func `a run over workers evaluates at the same steps to the same figures`() throws {
        let job = try SmallJob()
        let options = Self.options + ["--eval-every", "4"]
        let one = try ApusProcess(job.command("one", options, validation: true))
        let two = try ApusProcess(
            ["launch", "--workers", "2"] + job.command("two", options, validation: true).dropFirst())
        #expect(one.status == 0 && two.status == 0, "\(one.complaint) \(two.complaint)")
        let (first, second) = (try FinishedRun(job, "one"), try FinishedRun(job, "two"))
        #expect(evaluatedSteps(second) == evaluatedSteps(first))
        #expect(second.digest == first.digest)
        let losses = [first, second].map { run in run.events("evaluation").compactMap { $0["loss"] as? Double } }
        #expect(losses[0] == losses[1])
    }

    @Test func `a run that is stopped after an evaluation goes on to the same evaluations`() throws {
        let job = try SmallJob()
        let options = Self.options + ["--eval-every", "4"]
        #expect(try ApusProcess(job.command("whole", options, validation: true)).status == 0)
        #expect(try ApusProcess(job.command("parts", options + ["--max-steps", "4"], validation: true)).status == 0)
        try job.resume("parts", "--max-steps", "12")
        let (whole, parts) = (try FinishedRun(job, "whole"), try FinishedRun(job, "parts"))
        #expect(evaluatedSteps(parts) == evaluatedSteps(whole))
        #expect(parts.digest == whole.digest)
        #expect(parts.summary["best_step"] as? Int == whole.summary["best_step"] as? Int)
    }

    @Test func `half an epoch is half of its steps`() throws {
        let job = try SmallJob()
        let run = try job.train("run", "--epochs", "0.5", "--batch-size", "4", validation: true)
        #expect(run.steps == [1, 2, 3])
        #expect(run.summary["epochs"] as? Double == 0.5)
        #expect(evaluatedSteps(run) == [3])
        let longer = try job.resume("run", "--epochs", "1")
        #expect(longer.steps == [1, 2, 3, 4, 5, 6])
        #expect(
            longer.digest == (try job.train("whole", "--epochs", "1", "--batch-size", "4", validation: true)).digest)
    }

    @Test func `a share of warm-up is that many steps`() throws {
        let job = try SmallJob()
        let share = try job.train(
            "share", "--epochs", "2", "--batch-size", "4", "--warmup-steps", "0.25", "--schedule", "linear")
        let steps = try job.train(
            "steps", "--epochs", "2", "--batch-size", "4", "--warmup-steps", "3", "--schedule", "linear")
        #expect(share.digest == steps.digest)
        #expect(share.events("step").compactMap { $0["learning_rate"] as? Double }.firstIndex(of: 5e-5) == 3)
    }

    @Test func `tagged entities choose the best model by entity F1, other tags by accuracy`() throws {
        let job = try SmallJob()
        func file(_ name: String, _ tags: [String]) throws {
            let sentences = (0..<8).map { row in
                (0..<4).map { "\(SmallText.words[row * 4 + $0]) \(tags[(row + $0) % tags.count])\n" }.joined() + "\n"
            }
            try job.write(name, sentences.joined())
        }
        for (tags, measure) in [(["O", "B-X", "I-X"], "entity-f1"), (["NOUN", "VERB", "ADJ"], "accuracy")] {
            try file("\(measure).conll", tags)
            let path = job.path("\(measure).conll")
            let run = try ApusProcess(
                job.command(
                    measure,
                    ["--train", path, "--validation", path, "--epochs", "9", "--learning-rate", "0", "--patience", "1"])
            )
            #expect(run.status == 0, "\(run.complaint)")
            #expect(run.output.contains("no better \(measure) in 1 epoch"), "\(run.output)")
        }
    }

    @Test func `lengths are counted before truncation`() throws {
        let job = try SmallJob()
        try job.write(
            "long.tsv", "sentence\tlabel\n\(Array(repeating: "bel", count: 50).joined(separator: " "))\t0\ndan\t1\n")
        let run = try job.train("run", "--train", job.path("long.tsv"), "--max-steps", "1")
        let statistics = try #require((run.summary["data"] as? [String: Any])?["train"] as? [String: Any])
        #expect(statistics["longest"] as? Int == 52)
        #expect(statistics["truncated"] as? Int == 1)
    }

    @Test func `a share of the training rows is held out, the same for any number of workers`() throws {
        let job = try SmallJob(samples: 60)
        let options = ["--validation-split", "0.2", "--epochs", "1", "--lanes", "2", "--batch-size", "8"]
        #expect(try ApusProcess(job.command("one", options)).status == 0)
        let two = try ApusProcess(["launch", "--workers", "2"] + job.command("two", options).dropFirst())
        #expect(two.status == 0, "\(two.complaint)")
        let runs = try [FinishedRun(job, "one"), FinishedRun(job, "two")]
        #expect(runs[0].digest == runs[1].digest)
        let lines = try job.text("one/validation-lines.txt")
        #expect(lines.split(separator: "\n").count == 12)
        #expect(try job.text("two/validation-lines.txt") == lines)
        let samples = runs[0].events("evaluation").compactMap { $0["samples"] as? Int }
        #expect(samples == [12])
        #expect(runs[0].events("step").compactMap { $0["samples"] as? Int }.reduce(0, +) == 48)
        // Another seed would hold out other rows; the run keeps its own.
        try job.resume("one", "--epochs", "2")
        #expect(try job.text("one/validation-lines.txt") == lines)
    }

    @Test func `a model with fewer positions than the default length takes what it has`() throws {
        let job = try SmallJob()
        let command = [
            "train", "--model", job.model, "--train", job.data, "--output", job.path("run"), "--max-steps", "1",
        ]
        let run = try ApusProcess(command)
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("--max-length is 40"), "\(run.output)")
        #expect(try job.text("run/config.yaml").contains("max-length: 40\n"))
        #expect(try ApusProcess("train", "--resume", "--output", job.path("run"), "--max-steps", "2").status == 0)
    }
}
