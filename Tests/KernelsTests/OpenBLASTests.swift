import Tensors
import Testing

@testable import Kernels

/// OpenBLAS beside our own kernels; the choice of this process stays as it is, for other tests multiply meanwhile.
@Suite struct OpenBLASTests {
    @Test func `its products are ours up to rounding, in calls that the shape decides`() throws {
        let library = try OpenBLAS.load()
        #expect(library.description.contains("OpenBLAS") && library.description.contains(", core type "))
        for (m, n, k) in [(1, 3, 5), (255, 8, 40), (257, 130, 64), (700, 33, 17)] {
            var random = FixedSequence(UInt64(m + n + k))
            let (a, b) = (
                matrix(random.floats(m * k), rows: m, columns: k), matrix(random.floats(n * k), rows: n, columns: k)
            )
            let c = random.floats(m * n)
            let (own, foreign) = (matrix(c, rows: m, columns: n), matrix(c, rows: m, columns: n))
            multiplyInTiles(a, .plain, b, .transposed, into: own, scale: 2, accumulate: true)
            multiplyByLibrary(library.product, a, .plain, b, .transposed, into: foreign, scale: 2, accumulate: true)
            #expect(zip(own.elements.array, foreign.elements.array).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    @Test func `calls cover all rows in order and are nearly equal`() {
        for rows in 1...1_100 {
            let calls = OpenBLAS.calls(rows: rows)
            #expect(calls.first?.lowerBound == 0 && calls.last?.upperBound == rows)
            #expect(zip(calls, calls.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            #expect(calls.allSatisfy { $0.count <= OpenBLAS.mostRows && $0.count + 1 >= calls[0].count && !$0.isEmpty })
        }
    }

    @Test func `a library with wrong products is found out`() {
        let wrong = unsafe LibraryProduct { _, _, _, _, _, _, _, _, _, _, _, _, _, _ in }
        #expect(!ProductCheck.passes(wrong))
    }

    @Test func `a processor that the library does not know gets faster kernels`() {
        #expect(OpenBLAS.betterCoreType(than: "Haswell", hasAVX512: true) == "SkylakeX")
        #expect(OpenBLAS.betterCoreType(than: "Zen", hasAVX512: true) == "SkylakeX")
        #expect(OpenBLAS.betterCoreType(than: "Prescott", hasAVX512: true) == "SkylakeX")
        #expect(OpenBLAS.betterCoreType(than: "Prescott", hasAVX512: false) == "Haswell")
        #expect(OpenBLAS.betterCoreType(than: "Haswell", hasAVX512: false) == nil)
        #expect(OpenBLAS.betterCoreType(than: "Cooperlake", hasAVX512: true) == nil)
        #expect(OpenBLAS.betterCoreType(than: "ARMV8", hasAVX512: false) == nil)
    }
}
