import Foundation
import Testing

/// What a finished run leaves in its folder and on the screen.
@Suite struct OutputContractTests {
    @Test func `the folder holds models, figures, configuration, checkpoints and log`() throws {
        let job = try SmallJob()
        let run = try job.train("run", "--test", job.validation, "--epochs", "2", "--batch-size", "8", validation: true)
        let names = try FileManager.default.contentsOfDirectory(atPath: job.path("run")).filter { $0 != ".lock" }
            .sorted()
        #expect(
            names == [
                "checkpoints", "config.yaml", "journal", "log.txt", "metrics.jsonl", "model", "model-best",
                "predictions",
                "report.html", "summary.json", "tensorboard",
            ])
        for model in ["model", "model-best"] {
            let files = try FileManager.default.contentsOfDirectory(atPath: job.path("run/\(model)")).sorted()
            #expect(files == ["README.md", "config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"])
            #expect(try job.bytes("run/\(model)/vocab.txt") == job.bytes("model/vocab.txt"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")) == ["step-6"])
        #expect(try job.text("run/log.txt").contains(#/ epoch 2/2: loss [0-9.]+, validation loss [0-9.]+, accuracy /#))

        let keys = [
            "epochs", "steps", "samples_per_second", "tokens_per_second", "seconds", "peak_resident_bytes",
            "validation", "test",
            "parameters_sha256", "lanes", "workers", "threads", "command",
        ]
        for key in keys { #expect(run.summary[key] != nil, "\(key)") }
        #expect(run.summary["epochs"] as? Int == 2)
        #expect(run.summary["steps"] as? Int == 6)
        #expect(run.summary["workers"] as? Int == 1)
        #expect((run.summary["peak_resident_bytes"] as? Int ?? 0) > 1_000_000)
        for split in ["validation", "test"] {
            let figures = try #require(run.summary[split] as? [String: Any])
            for key in ["accuracy", "loss"] { #expect(figures[key] is Double, "\(split) \(key)") }
        }
        #expect((run.summary["command"] as? String)?.contains(" train --model ") == true)
    }

    @Test func `metrics tell of each step and each evaluation`() throws {
        let job = try SmallJob()
        let run = try job.train(
            "run", "--test", job.validation, "--epochs", "2", "--batch-size", "8", "--accumulate", "2", validation: true
        )
        #expect(run.steps == [1, 2, 3, 4])
        for step in run.events("step") {
            for key in ["epoch", "loss", "learning_rate", "gradient_norm", "samples", "tokens", "seconds"] {
                #expect(step[key] is Double, "\(key)")
            }
        }
        #expect(run.events("step").compactMap { $0["samples"] as? Int } == [16, 6, 16, 6])
        #expect(run.events("step").compactMap { $0["epoch"] as? Int } == [1, 1, 2, 2])
        #expect(run.events("evaluation").compactMap { $0["split"] as? String } == ["validation", "validation", "test"])
        for evaluation in run.events("evaluation") {
            for key in ["step", "epoch", "loss", "accuracy", "samples", "seconds"] {
                #expect(evaluation[key] is Double, "\(key)")
            }
        }
    }

    @Test func `the last line is the folder and a command that labels with its best model`() throws {
        let job = try SmallJob()
        let run = try ApusProcess(job.command("my run", ["--epochs", "1"], validation: true))
        let last = try #require(run.output.split(separator: "\n").last.map(String.init))
        #expect(last.hasPrefix("\(job.path("my run")): "))
        let command = last.dropFirst(job.path("my run").count + 2)
        #expect(command.contains(" predict --model "))
        #expect(command.contains("/model-best"))
        let answer = try ScriptRun(shell: "echo bel dan | \(command)")
        #expect(answer.status == 0)
        #expect(try FinishedRun.lines(answer.text).map { $0.keys.sorted() } == [["label", "logits", "scores"]])
    }

    @Test func `the first of the best epochs is kept and the test is scored on it`() throws {
        let job = try SmallJob(samples: 30)
        let run = try job.train(
            "run", "--test", job.validation, "--epochs", "6", "--batch-size", "10", "--lanes", "1", "--learning-rate",
            "1e-3",
            validation: true)
        let accuracies = run.events("evaluation").filter { $0["split"] as? String == "validation" }.compactMap {
            $0["accuracy"] as? Double
        }
        #expect(accuracies.count == 6)
        let (best, last) = (try #require(accuracies.max()), try #require(accuracies.last))
        try #require(best != last, "the job is of no use here: its last epoch is among the best")
        let epoch = try #require(accuracies.firstIndex(of: best)) + 1
        #expect(run.summary["best_step"] as? Int == 3 * epoch)
        #expect((run.summary["test"] as? [String: Any])?["accuracy"] as? Double == best)
        #expect((run.summary["validation"] as? [String: Any])?["accuracy"] as? Double == last)
        #expect(try job.bytes("run/model-best/model.safetensors") != run.weights)
        let short = try SmallJob(samples: 30)
        let alone = try short.train(
            "run", "--epochs", "\(epoch)", "--batch-size", "10", "--lanes", "1", "--learning-rate", "1e-3")
        #expect(try job.bytes("run/model-best/model.safetensors") == alone.weights)
    }

    @Test func `frozen embeddings keep their bits and the rest is trained`() throws {
        let job = try SmallJob()
        let run = try job.train(
            "run", "--freeze", "embeddings", "--max-steps", "3", "--optimizer", "adamw", "--weight-decay", "0.1")
        let (before, after) = (try Tensors(job.bytes("model/model.safetensors")), try Tensors(run.weights))
        #expect(before.names == after.names)
        for name in after.names where !name.hasSuffix("key.bias") {
            #expect((try before.bytes(name) == after.bytes(name)) == name.contains(".embeddings."), "\(name)")
        }
    }

    @Test func `a configuration file gives options and the command line wins`() throws {
        let job = try SmallJob()
        try job.write(
            "run.yaml", "epochs: 5\nbatch-size: 11\nlearning-rate: 1e-3\nlanes: 3\nvalidation: \(job.validation)\n")
        let run = try job.train("run", "--config", job.path("run.yaml"), "--epochs", "2")
        #expect(run.summary["epochs"] as? Int == 2)
        #expect(run.summary["lanes"] as? Int == 3)
        #expect(run.events("step").compactMap { $0["samples"] as? Int } == [11, 11, 11, 11])
        #expect(run.events("step").compactMap { $0["learning_rate"] as? Double } == [1e-3, 1e-3, 1e-3, 1e-3])
        #expect(run.events("evaluation").count == 2)
        let same = try job.train(
            "same", "--epochs", "2", "--batch-size", "11", "--learning-rate", "1e-3", "--lanes", "3", validation: true)
        #expect(same.digest == run.digest)
    }

    @Test func `the default output folder is named after time and model`() throws {
        let job = try SmallJob()
        let command = job.command("run", ["--max-steps", "1"])
        let place = try #require(command.firstIndex(of: "--output"))
        let words = (command[..<place] + command[(place + 2)...]).joined(separator: " ")
        let run = try ScriptRun(shell: "\(ApusProcess.executable.path) \(words)", from: job.folder.url("."))
        #expect(run.status == 0, "\(run.text)")
        let names = try FileManager.default.contentsOfDirectory(atPath: job.path("runs"))
        #expect(names.count == 1)
        #expect(names.first?.wholeMatch(of: /\d{8}T\d{6}Z-model-[0-9a-z]{7}/) != nil, "\(names)")
        #expect(run.text.hasSuffix("/model\n"))
    }

    @Test(arguments: [("1", ["step-6"]), ("2", ["step-3", "step-6"]), ("9", ["step-3", "step-6"])])
    func `as many checkpoints stay as are asked for`(keep: String, names: [String]) throws {
        let job = try SmallJob()
        try job.train("run", "--epochs", "2", "--batch-size", "8", "--keep", keep)
        #expect(try FileManager.default.contentsOfDirectory(atPath: job.path("run/checkpoints")).sorted() == names)
    }

    @Test(arguments: [false, true]) func `a finished run that kept no checkpoint stays finished`(isLaunched: Bool)
        throws
    {
        let job = try SmallJob()
        let options = ["--epochs", "2", "--batch-size", "8", "--lanes", "2", "--keep", "0"]
        let first = try ApusProcess(
            isLaunched
                ? job.launch("run", workers: 1, options, validation: true)
                : job.command("run", options, validation: true))
        #expect(first.status == 0, "\(first.complaint)")
        #expect(!job.exists("run/checkpoints"))
        let summary = try job.bytes("run/summary.json")
        let command = isLaunched ? ["launch", "--workers", "1", "--resume"] : ["train", "--resume"]
        let again = try ApusProcess(command + ["--output", job.path("run")])
        #expect(
            again.status == 0 && again.output.contains("is finished (6 steps): nothing to do"),
            "\(again.output)\(again.complaint)")
        expectOneLine(
            try ApusProcess(command + ["--output", job.path("run"), "--epochs", "3"]), status: 2, "after step 6",
            "--keep 0")
        #expect(try job.bytes("run/summary.json") == summary)
        #expect(try FinishedRun(job, "run").steps == Array(1...6))
    }

    @Test(.enabled(if: SmallDisk.isAllowed, "a mount of one's own needs user namespaces"))
    func `a disk that fills up costs checkpoints first and then the run`() throws {
        let job = try SmallJob()
        let bytes = try job.bytes("model/model.safetensors").count
        // Two checkpoints of three times the weights and the best model fit; the last model does not.
        let disk = try SmallDisk(job, kibibytes: 15 * bytes / 2_048)
        let options = ["--batch-size", "4", "--checkpoint-every", "1", "--keep", "9", "--epochs", "1"]
        let run = try disk.run(job.command("disk/run", options, validation: true))
        #expect(run.status == 1)
        #expect(run.text.contains("CHECKPOINT OF STEP 3 FAILED, earlier ones are kept"), "\(run.text)")
        #expect(run.text.contains("\napus: "), "\(run.text)")
        #expect(run.text.contains("No space left on device"))
        #expect(run.text.contains("resume with: "))
    }
}

/// The tensors of a safetensors file as bytes.
struct Tensors {
    private let header: [String: Any]
    private let body: Data

    init(_ file: Data) throws {
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        header = try #require(
            try JSONSerialization.jsonObject(with: Data(file.dropFirst(8).prefix(length))) as? [String: Any])
        body = Data(file.dropFirst(8 + length))
    }

    var names: [String] { header.keys.filter { $0 != "__metadata__" && !$0.hasSuffix("position_ids") }.sorted() }

    func bytes(_ name: String) throws -> Data {
        let offsets = try #require((header[name] as? [String: Any])?["data_offsets"] as? [Int])
        return body.subdata(in: offsets[0]..<offsets[1])
    }
}
