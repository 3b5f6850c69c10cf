/// Samples and tokens per second of training alone: no evaluation, no checkpoint, and not the first steps.
package struct Throughput: Sendable {
    /// Steps at the start of a process that are not counted: caches and memory are still being filled.
    package static let skippedSteps = 5

    private var steps = 0
    private var samples = 0
    private var tokens = 0
    private var seconds = 0.0

    package init() {}

    package mutating func add(samples: Int, tokens: Int, seconds: Double) {
        steps += 1
        // A run this short has nothing else to count.
        if steps == Self.skippedSteps + 1 { (self.samples, self.tokens, self.seconds) = (0, 0, 0) }
        self.samples += samples
        self.tokens += tokens
        self.seconds += seconds
    }

    /// Of a run no longer than the skipped steps: over all of them.
    package var samplesPerSecond: Double { seconds > 0 ? Double(samples) / seconds : 0 }
    package var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

extension Duration {
    package var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
