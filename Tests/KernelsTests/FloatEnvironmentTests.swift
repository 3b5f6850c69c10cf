import Foundation
import Kernels
import Testing

@Suite struct FloatEnvironmentTests {
    @Test func `a thread that flushes subnormal numbers is set right once`() async {
        let found = await withCheckedContinuation { continuation in
            Thread {
                let tiny = Float.leastNonzeroMagnitude
                var found: [Bool] = []
                Arithmetic.setFloatEnvironment()
                Arithmetic.flushToZero()
                found.append(product(tiny, 4) == 0)
                found.append(Arithmetic.setFloatEnvironment())
                found.append(product(tiny, 4) == tiny * 4 && product(tiny, 4) > 0)
                found.append(!Arithmetic.setFloatEnvironment())
                continuation.resume(returning: found)
            }.start()
        }
        #expect(found == [true, true, true, true])
    }
}

@inline(never) private func product(_ x: Float, _ y: Float) -> Float { x * y }
