import BERT
import Kernels
import Testing

@testable import Coordination
@testable import Runs

@Suite struct FingerprintTests {
    private let small = ArithmeticShape(text: "24,3,40,gelu,own,float32")!

    @Test func `a fingerprint is the same each time and tells sizes and activations apart`() {
        let first = Fingerprint.compute(small)
        #expect(first.count == 16)
        #expect(Fingerprint.compute(small) == first)
        for other in ["24,2,40,gelu", "24,3,41,gelu", "36,3,40,gelu", "24,3,40,relu", "24,3,40,geluTanh"].map({
            $0 + ",own,float32"
        }) + ["24,3,40,gelu,own,bf16", "24,3,40,gelu,own,bf16-amx"] {
            #expect(Fingerprint.compute(ArithmeticShape(text: other)!) != first, "\(other)")
        }
    }

    @Test func `sizes travel as text, and what no model has is refused`() throws {
        let model = try SmallRun(samples: 3).inputs().model
        let shape = ArithmeticShape(model.shape, blas: .openblas, precision: .bf16)
        #expect(ArithmeticShape(text: shape.text) == shape)
        #expect(ArithmeticShape.standard.text == "384,12,1536,gelu,own,float32")
        for text in [
            "", "384", "384,12,1536", "384,12,1536,gelu", "384,12,1536,gelu,1", "384,0,1536,gelu,own,float32",
            "384,7,1536,gelu,own,float32", "384,12,-1,gelu,own,float32",
            "99999999,1,1,gelu,own,float32", "384,12,1536,swish,own,float32", "384,12,1536,gelu,own,half",
            "384,12,1536,gelu,own",
        ] {
            #expect(ArithmeticShape(text: text) == nil, "\(text)")
        }
    }
}
