import BERT
import Foundation
import Kernels
import Tensors
import Testing

/// Names, order, depths and decay of all parameters, as the table beside the fixtures says.
///
/// Checkpoints, hashes, learning rates by layer and what is exchanged all follow from them: a change of this table
/// makes run folders of the build before unreadable, or their bits other ones. `APUS_RECORD=1 swift test --filter
/// ParameterTableTests` writes the table again.
@Suite struct ParameterTableTests {
    private static let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/parameters.tsv")

    private static let shape = BERTShape(
        vocabulary: 7, width: 4, layers: 2, heads: 2, feedForward: 6, positions: 5, types: 2, epsilon: 1e-12,
        activation: .gelu,
        hiddenDropout: 0, attentionDropout: 0, headDropout: 0, initializerRange: 0.02)

    private static let models: [(name: String, model: BERTModel)] = [
        ("classification", BERTModel(shape: shape, head: .classification(labels: 3))),
        ("classification over means", BERTModel(shape: shape, head: .classification(labels: 3, pooling: .mean))),
        ("regression", BERTModel(shape: shape, head: .regression(targets: 2))),
        ("multi-label", BERTModel(shape: shape, head: .multiLabel(labels: 3))),
        ("token classification", BERTModel(shape: shape, head: .tokenClassification(labels: 3))),
        ("masked-LM", BERTModel(shape: shape, head: .maskedLanguageModel)),
        (
            "two tasks",
            BERTModel(
                shape: shape, head: .classification(labels: 3),
                source: SourceHead(head: .regression(), sharedLayers: 1))
        ),
        (
            "two tasks, one of them masked-LM",
            BERTModel(
                shape: shape, head: .classification(labels: 2),
                source: SourceHead(head: .maskedLanguageModel, sharedLayers: 2))
        ),
        (
            "adapters",
            BERTModel(
                shape: shape, head: .classification(labels: 3),
                lora: LoRA(rank: 2, alpha: 4, targets: LoRA.Target.allCases, dropout: 0),
                isFrozen: { !LoRA.isAdapter($0) && !BERTModel.isHead($0) })
        ),
        (
            "frozen layers",
            BERTModel(
                shape: shape, head: .classification(labels: 3), isFrozen: { $0.hasPrefix("bert.encoder.layer.0.") })
        ),
        (
            "only the head trained",
            BERTModel(shape: shape, head: .classification(labels: 3), isFrozen: { $0.hasPrefix("bert.") })
        ),
    ]

    private static var table: String {
        var lines = ["model\tname\tshape\toffset\tgradient\tdecays\trows\tdepth"]
        for (name, model) in models {
            lines += model.layout.entries.map { entry in
                let fields = [
                    name, entry.name, entry.shape.map(String.init).joined(separator: "x"), String(entry.offset),
                    entry.gradientOffset.map(String.init) ?? "-", entry.decays ? "decays" : "-",
                    entry.isRowSparse ? "rows" : "-", String(model.depth(of: entry.name)),
                ]
                return fields.joined(separator: "\t")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    @Test func `every parameter has its recorded name, shape, order, decay and depth`() throws {
        if ProcessInfo.processInfo.environment["APUS_RECORD"] != nil {
            try Data(Self.table.utf8).write(to: Self.path)
        }
        let recorded = try String(contentsOf: Self.path, encoding: .utf8).split(separator: "\n")
        let found = Self.table.split(separator: "\n")
        for (recorded, found) in zip(recorded, found) { #expect(recorded == found) }
        #expect(recorded.count == found.count)
    }
}
