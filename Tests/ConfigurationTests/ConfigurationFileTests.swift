internal import Foundation
internal import Testing

@testable internal import Configuration
@testable internal import Learning

@Suite struct ConfigurationFileTests {
    /// Every option away from its default, with texts that YAML could take for something else.
    var unusual: TrainingConfiguration {
        var it = TrainingConfiguration(
            model: "/models/a: b #c", train: "/data/ü 日本.tsv", output: "null", threads: 3)
        it.validation = "/data/\"v\".csv"
        it.test = "/data/t.jsonl"
        it.epochs = 4
        it.batchSize = 33
        it.learningRate = 0.1 + 0.2
        it.optimizer = .adamw
        it.weightDecay = 0.01
        it.schedule = .cosine
        it.warmupSteps = 10
        it.maxSteps = 99
        it.evalEvery = 3
        it.maxGradNorm = 1
        it.accumulate = 2
        it.maxLength = 64
        it.dropout = 1e-300
        it.seed = .max
        it.lanes = 5
        it.freeze = ["embeddings.*", "*LayerNorm*", "- x", "~"]
        it.checkpointEvery = 7
        it.keep = 3
        it.resume = true
        it.minWorkers = 2
        it.maxRestarts = 0
        it.coordinatorTimeout = 9
        it.heartbeatTimeout = 4
        it.progressTimeout = 50
        it.insecure = true
        it.recompute = true
        it.textColumn = "yes"
        it.pairColumn = "2024-01-01"
        it.labelColumn = "0x10"
        it.task = .maskedLM
        return it
    }

    func saveAndRead(_ configuration: TrainingConfiguration) throws -> TrainingConfiguration {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "apus-configuration-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = ConfigurationFile.path(inRun: folder.path)
        try ConfigurationFile.write(configuration, to: path)
        return try ConfigurationFile.readSaved(path, cores: 1)
    }

    @Test func `patterns with stars are no aliases, and aliases that multiply are refused`() throws {
        let patterns = (0..<40).map { "\"*layer.\($0).*\"" }.joined(separator: ", ")
        #expect(try ConfigurationFile.read(text: "freeze: [\(patterns)]", path: "x")[.freeze] != nil)
        let many = (0..<5).reduce("a0: &a0 [1]\n") { text, level in
            let inner = [String](repeating: "*a\(level)", count: 9).joined(separator: ", ")
            return text + "a\(level + 1): &a\(level + 1) [\(inner)]\n"
        }
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.read(text: many, path: "x") }
        guard case .syntax("x", nil, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a file without an end is refused`() {
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationFile.read("/dev/zero") }
        guard case .unreadable("/dev/zero", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a saved configuration reads as an equal one`() throws {
        #expect(try saveAndRead(unusual) == unusual)
        let plain = TrainingConfiguration(model: "/m", train: "/t.tsv", output: "runs/x", threads: 2)
        #expect(try saveAndRead(plain) == plain)
    }

    @Test func `JSON carries a configuration under the same keys`() throws {
        let json = try JSONEncoder().encode(unusual)
        #expect(try JSONDecoder().decode(TrainingConfiguration.self, from: json) == unusual)
        #expect(String(decoding: json, as: UTF8.self).contains("\"batch-size\":33"))
    }

    @Test(arguments: [
        ("epochs: 3\nbatchsize: 4\n", "unknown key 'batchsize': did you mean 'batch-size'?", 2),
        ("learning_rats: 1\n", "unknown key 'learning_rats': did you mean 'learning-rate'?", 1),
        ("seed: 1\nlogging_steps: 10\n", "logging_steps is not an option here: metrics.jsonl", 2),
        ("per_device_train_batch_size: 8\n", "give --batch-size", 1),
        ("learning-rate: 1\nlearning_rate: 1\n", "learning_rate is learning-rate, which occurs twice", 2),
        ("epochs: 1\nnum_train_epochs: 2\n", "num_train_epochs is epochs, which occurs twice", 2),
        ("warmup_ratio: 2\n", "warmup-steps is '2'", 1),
        ("colour: red\n", "unknown key 'colour': keys are the flags", 1),
        ("seed: 1\n\nepochs: three\n", "epochs is 'three', must be a number", 3),
        ("epochs: [1, 2]\n", "epochs is '[1, 2]', must be a number", 1),
        ("epochs:\n", "epochs is 'none', must be a number", 1),
        ("optimizer: sgd\n", "optimizer is 'sgd', must be adam or adamw", 1),
        ("resume: maybe\n", "resume is 'maybe', must be true or false", 1),
        ("model: {a: b}\n", "model is 'a mapping', must be a text", 1),
        ("- epochs\n", "expected lines of 'key: value'", 1),
    ])
    func `a file's mistake is named with its line`(text: String, message: String, line: Int) {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(text: text, path: "run.yaml")
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("run.yaml line \(line):") == true, "\(error?.description ?? "")")
    }

    @Test(arguments: ["a: b: c\n", "a: \"x\n", "epochs: 1\nepochs: 2\n", "a: *b\n", "\u{1}"])
    func `what is not YAML is refused in one line`(text: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFile.read(text: text, path: "run.yaml")
        }
        guard case .syntax = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `an empty file gives nothing`() throws {
        #expect(try ConfigurationFile.read(text: "", path: "run.yaml") == GivenOptions())
        #expect(try ConfigurationFile.read(text: "# only a comment\n", path: "run.yaml") == GivenOptions())
    }

    @Test func `underscores count as dashes and Python's True is true`() throws {
        let text = "batch_size: 16\ngradient_checkpointing: True\nlr_scheduler_type: constant_with_warmup\n"
        let given = try ConfigurationFile.read(text: text, path: "run.yaml")
        var configuration = TrainingConfiguration(model: "/m", train: "/t", output: "o", threads: 1)
        try configuration.apply(given)
        #expect(configuration.batchSize == 16)
        #expect(configuration.recompute)
        #expect(given[.schedule] == .text("constant"))
    }

    @Test func `none and null leave out the files that may be left out`() throws {
        let given = try ConfigurationFile.read(
            text: "validation: none\ntest: null\ntext-column: none\n", path: "run.yaml")
        #expect(given[.validation] == .absent)
        #expect(given[.test] == .absent)
        #expect(given[.textColumn] == .text("none"))
    }

    @Test func `one frozen pattern needs no list`() throws {
        let given = try ConfigurationFile.read(text: "freeze: embeddings.*\n", path: "run.yaml")
        var configuration = TrainingConfiguration(model: "/m", train: "/t", output: "o", threads: 1)
        try configuration.apply(given)
        #expect(configuration.freeze == ["embeddings.*"])
    }

    @Test func `a file that is not there is named`() {
        #expect(throws: ConfigurationError.unreadable(path: "/nowhere/run.yaml", reason: "no such file")) {
            try ConfigurationFile.read("/nowhere/run.yaml")
        }
    }
}
