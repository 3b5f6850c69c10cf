internal import Wording

/// Samples and tokens per second of only training: no evaluation, no checkpoint, and not the first steps.
package struct Throughput: Sendable {
    /// Steps at the start of a process that are not counted: caches and memory are still being filled.
    package static let skippedSteps = 5

    private var steps = 0
    private var samples = 0
    private var tokens = 0
    private var seconds = 0.0
    /// Of all steps, the first ones included.
    package private(set) var allSteps = 0
    package private(set) var allSamples = 0
    package private(set) var allSeconds = 0.0
    /// Those of all steps that had been computed before and were lost.
    private var recomputedSteps = 0

    package init() {}

    /// - Parameter recomputed: earlier steps that were computed again on the way; samples, tokens and seconds include
    ///   theirs.
    package mutating func add(samples: Int, tokens: Int, seconds: Double, recomputed: Int = 0) {
        steps += 1
        allSteps += 1 + recomputed
        recomputedSteps += recomputed
        allSamples += samples
        allSeconds += seconds
        // A run this short has no other steps to count.
        if steps == Self.skippedSteps + 1 { (self.samples, self.tokens, self.seconds) = (0, 0, 0) }
        self.samples += samples
        self.tokens += tokens
        self.seconds += seconds
    }

    /// Of a run no longer than the skipped steps: over all of them.
    package var samplesPerSecond: Double { seconds > 0 ? Double(samples) / seconds : 0 }
    package var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }

    /// Time and speed of this process's steps as text with consistent figures.
    package var text: String {
        guard allSteps > 0 else { return "no step was left to do" }
        let speed = allSeconds > 0 ? Double(allSamples) / allSeconds : 0
        let later =
            steps > Self.skippedSteps
            ? " (\(decimal(samplesPerSecond, 1)) after the first \(Self.skippedSteps) steps)" : ""
        let time = decimal(allSeconds, allSeconds < 1 ? 2 : 1)
        let again = recomputedSteps > 0 ? " (\(recomputedSteps) recomputed)" : ""
        return "\(counted(allSteps, "step"))\(again) with \(counted(allSamples, "sample")) in \(time) s: "
            + "\(decimal(speed, 1)) samples/s\(later)"
    }
}
