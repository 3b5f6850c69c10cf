internal import Foundation

/// A line of `metrics.jsonl` after one optimizer step.
package struct StepEvent: Encodable, Sendable {
    package let event = "step"
    package var step: Int
    package var epoch: Int
    /// Mean over the step's samples.
    package var loss: Double
    package var learningRate: Double
    package var gradientNorm: Double
    package var samples: Int
    package var tokens: Int
    package var seconds: Double
    /// Of the source task, where there is one: its own mean, and the target task's weight beside it.
    package var sourceLoss: Double?
    package var sourceSamples: Int?
    package var sourceTokens: Int?
    package var lambda: Double?
    /// How each worker spent the step; absent where one process works alone.
    package var workers: [WorkerShare]?

    enum CodingKeys: String, CodingKey {
        case event, step, epoch, loss
        case learningRate = "learning_rate"
        case gradientNorm = "gradient_norm"
        case samples, tokens, seconds, workers, lambda
        case sourceLoss = "source_loss"
        case sourceSamples = "source_samples"
        case sourceTokens = "source_tokens"
    }
}

extension StepEvent {
    /// What is told of a step that was planned and done.
    init(_ plan: StepPlan, _ report: StepReport, learningRate: Double, seconds: Double) {
        func mean(_ sum: Double, _ normalizer: Double) -> Double { normalizer > 0 ? sum / normalizer : 0 }
        self.init(
            step: plan.step, epoch: plan.epoch, loss: mean(report.lossSum, plan.normalizer), learningRate: learningRate,
            gradientNorm: report.gradientNorm, samples: plan.sampleCount, tokens: plan.tokenCount, seconds: seconds,
            sourceLoss: plan.source.map { mean(report.sourceLossSum, $0.normalizer) }, sourceSamples: plan.source?.sampleCount,
            sourceTokens: plan.source?.tokenCount, lambda: plan.source == nil ? nil : plan.lambda,
            workers: report.shares.isEmpty ? nil : report.shares)
    }
}

/// A line of `metrics.jsonl` after an evaluation.
package struct EvaluationEvent: Encodable, Sendable {
    package let event = "evaluation"
    package var step: Int
    package var epoch: Int
    package var split: Split
    package var loss: Double
    package var accuracy: Double?
    package var samples: Int
    package var further = FurtherFigures()
    package var seconds: Double

    enum CodingKeys: String, CodingKey {
        case event, step, epoch, split, loss, accuracy, samples, seconds
    }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(event, forKey: .event)
        try members.encode(step, forKey: .step)
        try members.encode(epoch, forKey: .epoch)
        try members.encode(split, forKey: .split)
        try members.encode(loss, forKey: .loss)
        try members.encodeIfPresent(accuracy, forKey: .accuracy)
        try members.encode(samples, forKey: .samples)
        try members.encode(seconds, forKey: .seconds)
        try further.encode(to: encoder)
    }
}

/// A line of `metrics.jsonl` at the end of an epoch: what became of its samples.
package struct EpochEvent: Encodable, Sendable {
    package let event = "epoch"
    package var epoch: Int
    package var step: Int
    /// Samples planned for the epoch, and samples that were really computed, each counted once.
    package var planned: Int
    package var computed: Int
    /// Samples computed again after a loss of workers.
    package var redone: Int
}

/// Encodes one event as a line.
package func jsonLine(_ event: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(event), as: UTF8.self)
}
