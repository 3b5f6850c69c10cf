import Foundation
import KernelHashes
import Kernels
import Testing
import Wording

/// The bits of every kernel, recorded: those that scripts/test-arm64.sh expects of other processors, too.
///
/// A deliberate change of them raises `Arithmetic.number` and records them again.
@Suite struct KernelHashTests {
    private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "../Fixtures/kernel-hashes.tsv")

    @Test func `each kernel has the recorded bits with every instruction set, and fused multiply-adds are true ones`()
        throws
    {
        let recorded = try String(contentsOf: Self.file, encoding: .utf8)
        let kernels = 0..<apus_hashed_kernels()
        for (found, wrong) in onEachInstructionSet({
            let lines = kernels.map { index in
                let hash = String(apus_kernel_hash(index), radix: 16)
                return unsafe String(cString: apus_hashed_kernel(index)) + "\t"
                    + String(repeating: "0", count: 16 - hash.count) + hash + "\n"
            }
            return (lines.joined(), apus_wrong_fused_multiply_adds())
        }) {
            #expect(found == recorded)
            #expect(wrong == 0, "of \(APUS_HARD_CASES)")
        }
    }

    @Test func `an instruction set that the processor lacks is refused with those that it has`() {
        let error = #expect(throws: InputError.self) { try Arithmetic.limit(to: "avx1024") }
        #expect(error?.description.contains("avx1024") == true)
        #expect(error?.description.contains(Arithmetic.vectorLevels.joined(separator: ", ")) == true)
        #expect(Arithmetic.vectorLevels.contains(Arithmetic.vectorLevel))
    }
}
