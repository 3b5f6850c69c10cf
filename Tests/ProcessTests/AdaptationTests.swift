import Foundation
import Testing

/// What is shared, frozen and adapted: the same bits in one process, over workers and after a run was cut off.
@Suite struct AdaptationTests {
    private static let common = [
        "--lanes", "2", "--batch-size", "6", "--learning-rate", "1e-3", "--optimizer", "adamw", "--weight-decay",
        "0.01",
    ]

    struct Variant: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let options: [String]

        init(_ name: String, _ options: String...) {
            testDescription = name
            self.options = options
        }
    }

    static let variants = [
        Variant(
            "layer decay and a rate for the head", "--layer-decay", "0.8", "--head-learning-rate", "1e-2", "--schedule",
            "linear"),
        Variant(
            "adapters", "--lora-rank", "4", "--lora-alpha", "8", "--lora-targets", "query", "value", "output",
            "--lora-dropout", "0.1"),
        Variant("gradual unfreezing", "--unfreeze-every", "1", "--epochs", "6"),
        Variant("gradual unfreezing without dropout", "--unfreeze-every", "1", "--epochs", "3", "--dropout", "0"),
        Variant("cached features", "--freeze", "encoder", "--dropout", "0"),
        Variant("cached features with accumulation", "--freeze", "encoder", "--dropout", "0", "--accumulate", "2"),
        Variant("forgotten layers", "--reinitialize-layers", "1"),
        Variant("from scratch", "--from-scratch"),
        Variant("more positions", "--extend-positions", "--max-length", "48"),
    ]

    @Test(arguments: variants)
    func `one process, workers and a resumed run give one SHA-256`(variant: Variant) throws {
        let job = try SmallJob()
        let options = Self.common + ["--epochs", "3"] + variant.options
        try expectOneDigest(job, options)
    }

    @Test func `added words give the same bits and travel with the model`() throws {
        let job = try SmallJob()
        try job.write("words.txt", "bandel\nzoomik\nbanan ban\n")
        let single = try expectOneDigest(job, Self.common + ["--epochs", "3", "--add-tokens", job.path("words.txt")])
        let configuration = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("single/model/config.json")) as? [String: Any])
        #expect(configuration["vocab_size"] as? Int == 214)
        let line = #"{"text": "a Bandel zoomik"}"#
        let tokens = try ApusProcess(["tokenize", "--model", job.path("single/model")], input: line + "\n")
        #expect(tokens.output.contains("211, 212, 3]"), "\(tokens.output)")
        let scored = try ApusProcess(["evaluate", "--model", job.path("single/model"), "--input", job.validation])
        #expect(scored.status == 0, "\(scored.complaint)")
        #expect(single.digest.count == 64)
    }

    @discardableResult
    private func expectOneDigest(_ job: SmallJob, _ options: [String], location: SourceLocation = #_sourceLocation)
        throws -> FinishedRun
    {
        let every = ["--checkpoint-every", "3", "--keep", "100"]
        let run = try ApusProcess(job.command("single", options + every + ["--threads", "2"], validation: true))
        #expect(run.status == 0, "\(run.complaint)", sourceLocation: location)
        let single = try FinishedRun(job, "single")
        let launched = try ApusProcess(
            job.launch("w2", workers: 2, options, validation: true), environment: job.environment)
        #expect(launched.status == 0, "\(launched.complaint)", sourceLocation: location)
        #expect(try FinishedRun(job, "w2").digest == single.digest, sourceLocation: location)
        let last = single.steps.last ?? 0
        try job.cutOff("single", after: last / 2, into: "cut")
        let resumed = try job.resume("cut", location: location)
        #expect(resumed.digest == single.digest, sourceLocation: location)
        #expect(resumed.steps == single.steps, sourceLocation: location)
        #expect(
            try job.bytes("cut/model-best/model.safetensors") == job.bytes("single/model-best/model.safetensors"),
            sourceLocation: location)
        return single
    }

    @Test func `adapters are saved as PEFT saves them and move nothing else`() throws {
        let job = try SmallJob()
        try job.train(
            "run", "--lora-rank", "2", "--lora-targets", "output", "--epochs", "1", "--batch-size", "8", "--lanes", "2")
        let settings = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("run/adapter/adapter_config.json")) as? [String: Any])
        #expect(settings["peft_type"] as? String == "LORA")
        #expect(settings["r"] as? Int == 2)
        #expect(settings["target_modules"] as? String == #".*\.layer\.\d+\.(output\.dense)"#)
        let names = try Self.tensors(job.bytes("run/adapter/adapter_model.safetensors"))
        #expect(names.count == 3 * 2 + 2)
        #expect(names.contains("base_model.model.bert.encoder.layer.2.output.dense.lora_B.weight"))
        #expect(names.contains("base_model.model.classifier.bias"))
        let (before, after) = (try job.bytes("model/model.safetensors"), try job.bytes("run/model/model.safetensors"))
        #expect(try Self.tensors(after).allSatisfy { !$0.contains("lora") })
        for (name, isMoved) in [
            ("bert.encoder.layer.1.output.dense.weight", true),
            ("bert.encoder.layer.1.attention.self.query.weight", false),
        ] {
            #expect((try Self.values(name, before) != Self.values(name, after)) == isMoved, "\(name)")
        }
    }

    @Test func `an alpha beyond all integers is saved as the number that it is`() throws {
        let job = try SmallJob()
        try job.train("run", "--lora-rank", "2", "--lora-alpha", "1e19", "--learning-rate", "0", "--max-steps", "1")
        let settings = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("run/adapter/adapter_config.json")) as? [String: Any])
        #expect(settings["lora_alpha"] as? Double == 1e19)
    }

    @Test func `words are added to a vocabulary with Windows' line ends`() throws {
        let job = try SmallJob()
        try job.write("model/vocab.txt", SmallText.vocabulary.joined(separator: "\r\n") + "\r\n")
        try job.write("words.txt", "grondlauf\r\n")
        try job.train("run", "--add-tokens", job.path("words.txt"), "--max-steps", "1")
        let run = try ApusProcess("predict", "--model", job.path("run/model"), input: "bel grondlauf dan\n")
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("label"))
    }

    /// Bytes that the workers of a run exchange in its first step.
    private static func bytes(_ run: FinishedRun) -> Int {
        (run.events("step").first?["workers"] as? [[String: Any]] ?? []).reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
    }

    @Test func `adapters exchange less than a twentieth of what all weights do`() throws {
        let job = try SmallJob()
        for (name, options) in [("full", []), ("adapters", ["--lora-rank", "2"])] {
            let run = try ApusProcess(
                job.launch(name, workers: 2, options + ["--max-steps", "1", "--batch-size", "8", "--lanes", "2"]),
                environment: job.environment)
            #expect(run.status == 0, "\(run.complaint)")
        }
        let (full, adapters) = (try Self.bytes(FinishedRun(job, "full")), try Self.bytes(FinishedRun(job, "adapters")))
        #expect(adapters > 0)
        #expect(20 * adapters < full, "\(adapters) of \(full)")
    }

    @Test func `a frozen encoder is computed once, and what the run says of it shows`() throws {
        let job = try SmallJob()
        let kept = try ApusProcess(
            job.command("kept", ["--freeze", "encoder", "--dropout", "0", "--epochs", "1"], validation: true))
        #expect(
            kept.output.contains("the encoder is frozen: its output for 32 samples is computed once and kept"),
            "\(kept.output)")
        let held = try ApusProcess(job.command("held", ["--freeze", "encoder", "--dropout", "0.1", "--epochs", "1"]))
        #expect(held.output.contains("--dropout 0 computes its output once"), "\(held.output)")
        let other = try ApusProcess(job.command("other", ["--dropout", "0", "--epochs", "1"]))
        #expect(!other.output.contains("frozen"))
        let summary = try FinishedRun(job, "kept").summary
        let classes = ((summary["data"] as? [String: Any])?["train"] as? [String: Any])?["classes"] as? [[String: Any]]
        #expect(classes?.compactMap { $0["count"] as? Int } == [8, 7, 7])
        #expect(kept.output.contains("train labels: LABEL_0 8 (36.4 %), LABEL_1 7 (31.8 %), LABEL_2 7 (31.8 %)"))
    }

    @Test func `several seeds are several runs with mean and deviation, and go on where they were stopped`() throws {
        let job = try SmallJob()
        let options = [
            "--seeds", "3,5", "--epochs", "2", "--batch-size", "8", "--lanes", "2", "--test", job.validation,
        ]
        let run = try ApusProcess(job.command("all", options, validation: true))
        #expect(run.status == 0, "\(run.complaint)")
        for seed in ["3", "5"] {
            let alone = try job.train(
                "alone-\(seed)", "--seed", seed, "--epochs", "2", "--batch-size", "8", "--lanes", "2", validation: true)
            #expect(try FinishedRun(job, "all/seed-\(seed)").digest == alone.digest)
        }
        let summary = try #require(
            try JSONSerialization.jsonObject(with: job.bytes("all/summary.json")) as? [String: Any])
        let losses = try ["3", "5"].map { seed in
            try #require((FinishedRun(job, "all/seed-\(seed)").summary["test"] as? [String: Any])?["loss"] as? Double)
        }
        let figures = run.output.split(separator: "\n").filter { $0.contains("mean and deviation of 2 seeds") }
        #expect(figures.count >= 2 && figures.allSatisfy { !$0.contains("_") }, "\(figures)")
        #expect(figures.last?.hasPrefix("mean and deviation of 2 seeds, test: loss ") == true, "\(figures)")
        let page = try job.text("all/report.html")
        #expect(page.contains("\"name\":\"seed-3\"") && page.contains("\"name\":\"seed-5\""))
        let mean = (summary["mean"] as? [String: [String: Double]])?["test"]?["loss"]
        let deviation = (summary["deviation"] as? [String: [String: Double]])?["test"]?["loss"]
        #expect(abs((mean ?? 0) - (losses[0] + losses[1]) / 2) < 1e-12)
        #expect(abs((deviation ?? 0) - abs(losses[0] - losses[1]) / 2.0.squareRoot()) < 1e-12)
        try FileManager.default.removeItem(atPath: job.path("all/seed-5"))
        try FileManager.default.removeItem(atPath: job.path("all/summary.json"))
        let resumed = try ApusProcess(["train", "--resume", "--output", job.path("all")])
        #expect(resumed.status == 0, "\(resumed.complaint)")
        #expect(resumed.output.contains("is finished"))
        #expect(try job.bytes("all/seed-5/model/model.safetensors") == job.bytes("alone-5/model/model.safetensors"))
        let launched = try ApusProcess(
            job.launch("launched", workers: 2, options, validation: true), environment: job.environment)
        #expect(launched.status == 0, "\(launched.complaint)")
        #expect(try FinishedRun(job, "launched/seed-5").digest == FinishedRun(job, "all/seed-5").digest)
    }

    /// A rate of 0 never makes a better model.
    @Test func `a run without better validations ends early, also when it was cut off before`() throws {
        let job = try SmallJob()
        let options = [
            "--patience", "2", "--learning-rate", "0", "--epochs", "9", "--batch-size", "8", "--lanes", "2", "--keep",
            "100",
        ]
        let run = try ApusProcess(job.command("run", options, validation: true))
        #expect(run.status == 0, "\(run.complaint)")
        #expect(run.output.contains("stopped early"))
        let done = try FinishedRun(job, "run")
        #expect(done.events("evaluation").compactMap { $0["epoch"] as? Int } == [1, 2, 3])
        #expect(done.summary["stopped_early"] as? Bool == true)
        try job.cutOff("run", after: 6, into: "cut")
        let resumed = try job.resume("cut")
        #expect(resumed.digest == done.digest)
        #expect(resumed.events("evaluation").compactMap { $0["epoch"] as? Int } == [1, 2, 3])
        let again = try ApusProcess(["train", "--resume", "--output", job.path("run")])
        #expect(again.status == 0)
        #expect(again.output.contains("is finished"))
    }

    /// Name and place of each tensor of a safetensors file.
    private static func header(_ file: Data) throws -> (members: [String: Any], start: Int) {
        let count = file.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: file[(file.startIndex + 8)..<(file.startIndex + 8 + count)])
                as? [String: Any])
        return (header, 8 + count)
    }

    private static func tensors(_ file: Data) throws -> [String] {
        try header(file).members.keys.filter { $0 != "__metadata__" }
    }

    private static func values(_ name: String, _ file: Data) throws -> Data {
        let (members, start) = try header(file)
        let offsets = try #require((members[name] as? [String: Any])?["data_offsets"] as? [Int])
        return file[(file.startIndex + start + offsets[0])..<(file.startIndex + start + offsets[1])]
    }
}
