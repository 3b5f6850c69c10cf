internal import BERT
internal import Checkpoints
internal import Files
internal import Foundation
internal import Kernels
internal import Runs
internal import Transport
internal import Wording

/// The job to disturb: the user's, or a tiny one that needs no files.
struct ChaosJob {
    /// The folder for the runs of this job.
    let folder: String
    /// The arguments of `apus launch`, without workers and output.
    let options: [String]
    /// Whether the workers are those of a cluster file.
    let isCluster: Bool

    /// The tiny job's defaults: whole epochs, so that the ledger covers every step.
    private static let defaults = [
        "--validation": "none", "--max-length": "24", "--batch-size": "8", "--lanes": "4", "--learning-rate": "1e-3",
        "--epochs": "60", "--threads": "1",
        "--checkpoint-every": "100",
    ]
    private static let samples = 160

    /// - Parameter given: the user's options of `apus launch`; without `--model` and `--train` they apply to the tiny
    ///   job.
    /// - Throws: ``InputError`` for options that the user may not set here.
    init(given: [String], folder: String) throws {
        for name in ["--output", "--resume", "--workers", "--single"] where Self.gives(name, given) {
            throw InputError(
                "\(name) cannot be set here, apus chaos chooses it for each run: leave it out (or give chaos's own "
                    + "--workers)"
            )
        }
        self.folder = folder
        isCluster = Self.gives("--cluster", given)
        let isUsers = ["--model", "--train", "--config", "--cluster"].contains { Self.gives($0, given) }
        guard !isUsers else {
            options = given
            return
        }
        try Self.makeModel(folder + "/model")
        try Self.makeData(folder + "/train.tsv")
        let missing = Self.defaults.sorted { $0.key < $1.key }.filter { !Self.gives($0.key, given) }
        options =
            ["--model", folder + "/model", "--train", folder + "/train.tsv"] + missing.flatMap { [$0.key, $0.value] }
            + given
    }

    private static func gives(_ name: String, _ options: [String]) -> Bool {
        options.contains { $0 == name || $0.hasPrefix(name + "=") }
    }

    func output(_ name: String) -> String { "\(folder)/\(name)" }

    /// The arguments of a run into the folder `name`.
    func arguments(_ name: String, workers: Int) -> [String] {
        ["launch"] + (isCluster ? [] : ["--workers", String(workers)]) + ["--output", output(name)] + options
    }

    /// The arguments that resume it.
    func resumption(_ name: String, workers: Int) -> [String] {
        ["launch"] + (isCluster ? [] : ["--workers", String(workers)]) + ["--resume", "--output", output(name)]
            + Self.kept(options, ["--cluster", "--threads"])
    }

    private static func kept(_ options: [String], _ names: [String]) -> [String] {
        options.indices.filter { names.contains(options[$0]) && $0 + 1 < options.count }.flatMap {
            [options[$0], options[$0 + 1]]
        }
            + options.filter { option in names.contains { option.hasPrefix($0 + "=") } }
    }

    // MARK: The tiny job

    /// Letters, each of which is a token.
    private static let words: [String] = (0..<120).map { number in
        let letters: [UInt8] = [97 + UInt8(number % 20), 97 + UInt8(number / 20)]
        return String(decoding: letters, as: UTF8.self)
    }
    private static let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words

    private static func makeModel(_ path: String) throws {
        let shape = BERTShape(
            vocabulary: vocabulary.count, width: 32, layers: 2, heads: 2, feedForward: 64, positions: 32, types: 2,
            epsilon: 1e-12,
            activation: .gelu, hiddenDropout: 0.1, attentionDropout: 0.1, headDropout: 0.1, initializerRange: 0.02)
        let model = BERTModel(shape: shape, head: .classification(labels: 2))
        let source = path + "-tokenizer"
        try FileSystem.makeFolder(source)
        try FileSystem.replace(source + "/vocab.txt", with: Array((vocabulary.joined(separator: "\n") + "\n").utf8))
        let configuration = JSONValue.object([
            .init("architectures", .array([.string("BertForSequenceClassification")])),
            .init("model_type", .string("bert")),
            .init("hidden_act", .string("gelu")), .init("vocab_size", .integer(shape.vocabulary)),
            .init("hidden_size", .integer(shape.width)),
            .init("num_hidden_layers", .integer(shape.layers)), .init("num_attention_heads", .integer(shape.heads)),
            .init("intermediate_size", .integer(shape.feedForward)),
            .init("max_position_embeddings", .integer(shape.positions)),
            .init("type_vocab_size", .integer(shape.types)), .init("layer_norm_eps", .number(1e-12)),
            .init("hidden_dropout_prob", .number(0.1)), .init("attention_probs_dropout_prob", .number(0.1)),
            .init("initializer_range", .number(shape.initializerRange)),
        ])
        try ModelExport.write(
            StateFiles.tensors(model.initialized(seed: 0), model.layout), configuration: configuration,
            tokenizerFolder: source, tokenizerSettings: .object([]),
            to: path)
    }

    private static func makeData(_ path: String) throws {
        var random = SeededGenerator(seed: 0)
        let lines = (0..<samples).map { number in
            let label = number % 2
            let first = words[label * 60 + Int.random(in: 0..<60, using: &random)]
            let others = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                words[Int.random(in: 0..<words.count, using: &random)]
            }
            return "\(([first] + others).joined(separator: " "))\t\(label)\n"
        }
        try FileSystem.replace(path, with: Array(("sentence\tlabel\n" + lines.joined()).utf8))
    }
}
