import Checkpoints
import Foundation
import Testing

@testable import ReferenceChecks
@testable import Wording

/// The training path against what Transformers and PyTorch computed: Tests/Fixtures/golden, made by its generate
/// scripts.
@Suite struct ReferenceCaseTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/golden")
        .standardizedFileURL.path
    static let cases = [
        "classify", "pairs", "regress", "masked-lm", "targets", "multi-label", "words", "weighted", "weighted-words",
        "smoothed-words-hidden", "mean",
        "joint", "joint-shared", "joint-masked",
    ]

    @Test(arguments: cases)
    func `forward, gradients and weights after the steps are the reference's`(name: String) throws {
        let report = try Verification(try ReferenceCase(folder: "\(Self.folder)/\(name)"), lanes: 3, threads: 2).run()
        #expect(report.hidden < 2e-5 && report.logits < 2e-5 && report.loss < 1e-5)
        #expect(report.gradients < 1e-4 && report.keyBiasGradients < 1e-7 && report.weights < 2e-5)
    }
}

/// Reference folders whose numbers index beyond the model.
@Suite struct OddReferenceTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "apus-r-\(UInt32.random(in: 0 ... .max))"
    ).path

    /// Copies a case, with one tensor changed.
    private func refusal(_ name: String, _ tensor: String, _ change: (inout [Int64]) -> Void) throws -> String? {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(ReferenceCaseTests.folder)/\(name)", toPath: folder)
        let path = folder + "/reference.safetensors"
        let file = try SafetensorsFile(path)
        var values = try file.readIntegers(tensor)
        change(&values)
        let entry = try #require(file.tensor(tensor))
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes.replaceSubrange(
            entry.range, with: values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } })
        try bytes.write(to: URL(filePath: path))
        return try refusal()
    }

    private func refusal() throws -> String? {
        do { _ = try Verification(try ReferenceCase(folder: folder), lanes: 2, threads: 1).run() } catch let error
            as any BadInput
        { return error.description }
        return nil
    }

    @Test(
        arguments: [
            ("classify", "input_ids", 1_099_511_627_776), ("classify", "input_ids", -1),
            ("classify", "token_type_ids", 2), ("classify", "token_type_ids", -1),
            ("classify", "attention_mask", 2), ("classify", "attention_mask", 0), ("classify", "labels", 3),
            ("classify", "labels", -1),
            ("words", "labels", 8_589_934_592), ("words", "labels", -7), ("masked-lm", "labels", 100_000),
            ("joint", "source.input_ids", -5),
            ("joint", "source.labels", 4),
        ] as [(String, String, Int64)])
    func `a number beyond the model is refused`(name: String, tensor: String, value: Int64) throws {
        let said = try #require(try refusal(name, tensor) { $0[0] = value })
        #expect(said.contains(tensor), "\(said)")
    }

    @Test func `the same case unchanged is accepted`() throws {
        #expect(try refusal("classify", "input_ids") { _ in } == nil)
    }

    @Test(arguments: [
        (#""lr": 0.001,"#, #""lr": "x","#), (#""lr": 0.001,"#, #""lr": -1,"#), (#""warmup": 2,"#, #""warmup": -1,"#),
        (#""total_steps": 10,"#, #""total_steps": 0,"#), (#""clip": 1.0,"#, #""clip": -1.0,"#),
        (#""lr": 0.001,"#, #""lr": 0.001, "class_weights": [1, 2],"#),
        (#""lr": 0.001,"#, #""lr": 0.001, "label_smoothing": 1,"#),
        (#""lr": 0.001,"#, #""lr": 0.001, "source": {"head": "cls", "labels": -1, "shared_layers": 1, "lambda": 1},"#),
    ])
    func `settings that no run has are refused`(old: String, new: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(ReferenceCaseTests.folder)/classify", toPath: folder)
        let text = try String(contentsOfFile: folder + "/steps.json", encoding: .utf8)
        // The first is the case's own, others are of its steps.
        let range = try #require(text.range(of: old))
        try Data(text.replacingCharacters(in: range, with: new).utf8).write(to: URL(filePath: folder + "/steps.json"))
        #expect(try refusal() != nil)
    }

    @Test(arguments: ["hidden.0", "logits", "loss", "grad.classifier.bias", "after.classifier.bias"])
    func `a reference tensor that is missing is refused`(name: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "\(ReferenceCaseTests.folder)/classify", toPath: folder)
        let file = try SafetensorsFile(folder + "/reference.safetensors")
        var bytes = try Data(contentsOf: URL(filePath: file.path))
        // Under a name of the same length.
        let header = 8 + Int(bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let key = try #require(bytes.range(of: Data("\"\(name)\"".utf8), in: 8..<header))
        bytes.replaceSubrange(key, with: Data("\"\(String(repeating: "x", count: name.utf8.count))\"".utf8))
        try bytes.write(to: URL(filePath: file.path))
        #expect(try refusal()?.contains(name) == true)
    }
}
