import BERT
import Foundation
import TextData

@testable import Configuration
@testable import Coordination
@testable import Learning
@testable import Runs

/// A small model and generated data in a fresh folder; removed with its last user.
final class SmallRun: Sendable {
    let folder: String

    /// - Parameter pairs: whether samples have two texts, and with them token types.
    init(samples: Int, pairs: Bool = false) throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "apus-t-\(UInt32.random(in: 0 ... .max))")
        folder = root.path
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: false)
        let golden = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/golden/classify")
        for name in ["config.json", "model.safetensors"] {
            try FileManager.default.copyItem(at: golden.appending(path: name), to: root.appending(path: name))
        }
        let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + (0..<206).map { "w\($0)" }
        try Data((vocabulary.joined(separator: "\n") + "\n").utf8).write(to: root.appending(path: "vocab.txt"))
        let rows = (0..<samples).map { row in
            let words = (0...(row * 7 % 12)).map { "w\((row * 31 + $0 * 17) % 206)" }.joined(separator: " ")
            return pairs ? "\(words)\tw\(row % 200) w7\t\(row % 3)\n" : "\(words)\t\(row % 3)\n"
        }
        let header = pairs ? "sentence1\tsentence2\tlabel\n" : "sentence\tlabel\n"
        try Data((header + rows.joined()).utf8).write(to: root.appending(path: "train.tsv"))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func inputs(_ change: (inout TrainingConfiguration) -> Void = { _ in }) throws -> RunInputs {
        var configuration = TrainingConfiguration(
            model: folder, train: "\(folder)/train.tsv", output: "\(folder)/run", threads: 1)
        configuration.maxLength = 20
        configuration.learningRate = 1e-3
        configuration.maxGradNorm = 0.5
        change(&configuration)
        return try RunInputs(configuration)
    }
}

extension RunInputs {
    var train: TokenizedDataset { datasets[.train]! }

    /// What workers are told of a run over these inputs.
    var description: RunDescription {
        RunDescription(
            id: 1, shape: model.shape, head: model.head, freeze: [], laneCount: plan.laneCount,
            seed: configuration.seed,
            hasTypes: train.types != nil)
    }
}

/// Knuth's linear congruential generator.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        func half() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 32
        }
        return half() << 32 | half()
    }
}
