import BERT
import Checkpoints
import Foundation
import Kernels
import Learning
import Synchronization
import Tensors

@testable import Configuration
@testable import Coordination
@testable import Files
@testable import Runs

/// The smallest model that has everything a run needs, and a run of six steps in two epochs over it.
struct SimulatedInputs: Sendable {
    /// Of the usual configuration.
    static let steps = 6
    /// Elements of a bucket: the model's gradient has three where it crosses hosts.
    static let bucket = 4_096
    private static let count = Atomic(0)
    let inputs: RunInputs
    let identity: WorkerIdentity
    /// What an undisturbed run of one process has: the digest of its weights, and each step's loss.
    let digest: String
    let losses: [Double]
    /// What it finds by its validation, by the step before.
    let evaluations: [Int: Scored]

    /// The figures of an evaluation and the bits of every score.
    struct Scored: Equatable, Sendable {
        let report: EvaluationReport
        let scores: [UInt32]

        init(_ evaluated: Evaluated) {
            report = evaluated.report
            scores =
                evaluated.scores?.logits.withSpan { span in span.indices.map { span[$0].bitPattern } } ?? []
        }
    }

    /// - Parameter change: of the configuration; the data may be trained as a source task, too.
    init(_ change: (inout TrainingConfiguration) -> Void = { _ in }) async throws {
        // In memory where that is possible: nothing is to be synced to a disk.
        let place = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let folder = "\(place)/apus-simulation-\(getpid())-\(Self.count.add(1, ordering: .relaxed).newValue)"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (0..<43).map { "w\($0)" }
        try Data((words.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: "\(folder)/vocab.txt"))
        let model: [String: Any] = [
            "model_type": "bert", "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 4,
            "num_attention_heads": 2, "max_position_embeddings": 16, "vocab_size": words.count, "type_vocab_size": 2,
            "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 0,
        ]
        try JSONSerialization.data(withJSONObject: model).write(to: URL(filePath: "\(folder)/config.json"))
        let shape = try BERTConfiguration(JSONValue(parsing: FileSystem.read("\(folder)/config.json")), path: folder)
            .shape
        let layout = BERTModel(shape: shape, head: .classification(labels: 3)).layout
        // Their values do not matter where the run begins with random ones.
        let values = FloatBuffer(count: layout.count)
        for place in 0..<values.count { values.view[place] = Float((place * 7_919) % 1_000) / 2_500 - 0.2 }
        try SafetensorsWriter.write(
            StateFiles.tensors(values, layout), to: "\(folder)/model.safetensors", steps: PlainFileSteps())
        // Three chunks to validate.
        for (name, rows) in [("train", 0..<12), ("validation", 100..<170)] {
            let lines = rows.map { row in
                (0...(row * 7 % 5)).map { "w\((row * 31 + $0 * 17) % 43)" }.joined(separator: " ") + "\t\(row % 3)\n"
            }
            try Data(("sentence\tlabel\n" + lines.joined()).utf8).write(to: URL(filePath: "\(folder)/\(name).tsv"))
        }
        var configuration = TrainingConfiguration(
            model: folder, train: "\(folder)/train.tsv", output: "\(folder)-run", threads: 1)
        configuration.validation = "\(folder)/validation.tsv"
        configuration.fromScratch = true
        configuration.maxLength = 8
        configuration.learningRate = 1e-3
        configuration.maxGradNorm = 0.5
        configuration.batchSize = 4
        configuration.lanes = 4
        configuration.epochs = 2
        change(&configuration)
        inputs = try RunInputs(configuration)
        let arithmetic = ArithmeticShape(inputs.model.shape, blas: .own, precision: .float32)
        identity = Fingerprint.identity(arithmetic, threads: 1)
        let replica = Replica(model: inputs.model, parameters: Self.copy(inputs.parameters), threads: 1)
        let engine = SingleProcessEngine(inputs: inputs, replica: replica, debug: false)
        var losses: [Double] = []
        var evaluations: [Int: Scored] = [:]
        for step in 1...inputs.plan.totalSteps {
            let plan = inputs.plan.step(step, order: inputs.plan.order(ofEpoch: inputs.plan.epoch(ofStep: step)))
            let report = try await engine.run(plan, next: nil, learningRate: inputs.schedule.rate(step: step))
            losses.append(report.lossSum)
            if plan.endsEpoch { evaluations[step] = Scored(try await engine.evaluate(.validation)) }
        }
        self.losses = losses
        self.evaluations = evaluations
        digest = Self.digest(try await engine.state())
    }

    /// Of weights and moments.
    static func digest(_ state: TrainingState) -> String {
        Digests.parameters(
            [("weights", state.parameters), ("first", state.first), ("second", state.second)].map { name, values in
                .init(name, [values.count]) { values.view.withSpan($0) }
            })
    }

    private static func copy(_ values: FloatBuffer) -> FloatBuffer {
        let copy = FloatBuffer(count: values.count)
        copy.view.copy(from: values.view.withSpan { span in span.indices.map { span[$0] } })
        return copy
    }
}
