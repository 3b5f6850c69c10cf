import BERT
import Kernels
import Testing

@testable import Training

@Suite struct FingerprintTests {
    init() { BLASInformation.useOneThread() }

    private let small = ArithmeticShape(text: "24,3,40,gelu")!

    @Test func `a fingerprint is the same each time and tells sizes and activations apart`() {
        let first = Fingerprint.compute(small)
        #expect(first.count == 16)
        #expect(Fingerprint.compute(small) == first)
        for other in ["24,2,40,gelu", "24,3,41,gelu", "36,3,40,gelu", "24,3,40,relu", "24,3,40,geluTanh"] {
            #expect(Fingerprint.compute(ArithmeticShape(text: other)!) != first, "\(other)")
        }
    }

    @Test func `sizes travel as text, and what no model has is refused`() throws {
        let model = try SmallRun(samples: 3).inputs().model
        let shape = ArithmeticShape(model.shape)
        #expect(ArithmeticShape(text: shape.text) == shape)
        #expect(ArithmeticShape.standard.text == "384,12,1536,gelu")
        for text in [
            "", "384", "384,12,1536", "384,12,1536,gelu,1", "384,0,1536,gelu", "384,7,1536,gelu", "384,12,-1,gelu", "99999999,1,1,gelu", "384,12,1536,swish",
        ] {
            #expect(ArithmeticShape(text: text) == nil, "\(text)")
        }
    }

    @Test func `a process starts over only with a core type that was tried and gives the bits needed`() {
        func helps(_ coreType: String, own: String, _ found: String?) -> Bool {
            CoreTypeChange.helps(coreType, wanted: "f", at: small, own: own) { _, _ in found }
        }
        #expect(helps("Haswell", own: "Zen", "f"))
        #expect(!helps("Haswell", own: "Zen", "g"))
        #expect(!helps("SkylakeX", own: "Zen", nil))
        #expect(!helps("Haswell", own: "Haswell", "f"))
    }
}
