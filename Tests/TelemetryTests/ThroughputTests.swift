import Testing

@testable import Telemetry

@Suite struct ThroughputTests {
    @Test func `recomputed steps count with their time, but not as first steps`() {
        var few = Throughput()
        few.add(samples: 10, tokens: 1, seconds: 2, recomputed: 4)
        for _ in 0..<2 { few.add(samples: 2, tokens: 1, seconds: 1) }
        #expect(few.text == "7 steps (4 recomputed) with 14 samples in 4.0 s: 3.5 samples/s")
        var many = Throughput()
        for _ in 0..<6 { many.add(samples: 4, tokens: 1, seconds: 1) }
        #expect(many.text == "6 steps with 24 samples in 6.0 s: 4.0 samples/s (4.0 after the first 5 steps)")
        var one = Throughput()
        one.add(samples: 1, tokens: 1, seconds: 0.04)
        #expect(one.text == "1 step with 1 sample in 0.04 s: 25.0 samples/s")
    }
}
