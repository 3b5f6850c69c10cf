import Foundation
import Testing

@testable import ReferenceChecks

/// Adapters and learning rates by layer against PEFT and PyTorch: Tests/Fixtures/transfer.
@Suite struct TransferReferenceTests {
    @Test(arguments: ["lora", "lora-all", "lora-output", "layer-decay"], [1, 3])
    func `logits, gradients and weights after three steps are the reference's`(name: String, lanes: Int) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../Fixtures/transfer/\(name)"
        ).path
        let report = try Verification(try ReferenceCase(folder: folder), lanes: lanes, threads: 2).run()
        #expect(report.hidden < 1e-5)
        #expect(report.logits < 1e-5)
        #expect(report.loss < 1e-5)
        #expect(report.gradients < 1e-4)
        #expect(report.weights < 1e-5)
        #expect(report.keyBiasGradients < 1e-6)
    }
}
