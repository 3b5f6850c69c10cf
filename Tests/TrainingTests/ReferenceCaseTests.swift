import Foundation
import Kernels
import Testing

@testable import Training

/// The training path against what Transformers and PyTorch computed: Tests/Fixtures/golden, made by its generate scripts.
@Suite struct ReferenceCaseTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/golden").standardizedFileURL.path
    static let cases = [
        "classify", "pairs", "regress", "masked-lm", "targets", "multi-label", "words", "weighted", "weighted-words", "smoothed-words-hidden", "mean",
        "joint", "joint-shared", "joint-masked",
    ]

    @Test(arguments: cases)
    func `forward, gradients and weights after the steps are the reference's`(name: String) throws {
        let report = try Verification(try ReferenceCase(folder: "\(Self.folder)/\(name)"), lanes: 3, threads: 2).run()
        #expect(report.hidden < 2e-5 && report.logits < 2e-5 && report.loss < 1e-5)
        #expect(report.gradients < 1e-4 && report.keyBiasGradients < 1e-7 && report.weights < 2e-5)
    }
}
