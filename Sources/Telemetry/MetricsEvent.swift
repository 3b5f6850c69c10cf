internal import Files
internal import Foundation
package import Learning

/// Something that happened in a run, as a line of `metrics.jsonl`.
package protocol MetricsEvent: Sendable {
    /// One JSON object, its keys in alphabetical order.
    func line() throws -> String
}

extension MetricsEvent where Self: Encodable {
    package func line() throws -> String { try jsonLine(self) }
}

/// A line of `metrics.jsonl` after one optimizer step.
package struct StepEvent: MetricsEvent {
    package var step: Int
    package var epoch: Int
    /// Mean over the step's samples.
    package var loss: Double
    package var learningRate: Double
    package var gradientNorm: Double
    package var samples: Int
    package var tokens: Int
    package var seconds: Double
    /// For the source task, if there is one: its mean, and the target task's relative weight.
    package var sourceLoss: Double?
    package var sourceSamples: Int?
    package var sourceTokens: Int?
    package var lambda: Double?
    /// How each worker spent the step; absent without workers.
    package var workers: [WorkerShare]?
    /// The version of the membership that computed it; absent without workers.
    package var generation: Int?
    /// Earlier steps that were computed again before it, since all workers had lost them; absent if there were none.
    package var recomputed: Int?
}

extension StepEvent {
    /// The event of a finished step.
    package init(_ plan: StepPlan, _ report: StepReport, learningRate: Double, seconds: Double) {
        func mean(_ sum: Double, _ normalizer: Double) -> Double { normalizer > 0 ? sum / normalizer : 0 }
        self.init(
            step: plan.step, epoch: plan.epoch, loss: mean(report.lossSum, plan.normalizer), learningRate: learningRate,
            gradientNorm: report.gradientNorm, samples: plan.sampleCount, tokens: plan.tokenCount, seconds: seconds,
            sourceLoss: plan.source.map { mean(report.sourceLossSum, $0.normalizer) },
            sourceSamples: plan.source?.sampleCount,
            sourceTokens: plan.source?.tokenCount, lambda: plan.source == nil ? nil : plan.lambda,
            workers: report.shares.isEmpty ? nil : report.shares, generation: report.generation,
            recomputed: report.recomputed.steps > 0 ? report.recomputed.steps : nil)
    }

    /// Written member by member: an encoder would cost the coordinator more per step than all its other work on files.
    package func line() -> String {
        let members: [(key: String, value: JSONValue?)] = [
            ("epoch", .integer(epoch)),
            ("event", .string("step")),
            ("generation", generation.map(JSONValue.integer)),
            ("gradient_norm", .figure(gradientNorm)),
            ("lambda", lambda.map(JSONValue.figure)),
            ("learning_rate", .figure(learningRate)),
            ("loss", .figure(loss)),
            ("recomputed", recomputed.map(JSONValue.integer)),
            ("samples", .integer(samples)),
            ("seconds", .figure(seconds)),
            ("source_loss", sourceLoss.map(JSONValue.figure)),
            ("source_samples", sourceSamples.map(JSONValue.integer)),
            ("source_tokens", sourceTokens.map(JSONValue.integer)),
            ("step", .integer(step)),
            ("tokens", .integer(tokens)),
            ("workers", workers.map { .array($0.map(\.json)) }),
        ]
        return JSONValue.object(members.compactMap { member in member.value.map { JSONValue.Member(member.key, $0) } })
            .line
    }
}

extension WorkerShare {
    fileprivate var json: JSONValue {
        .object([
            .init("bytes", .integer(bytes)), .init("compute", .figure(compute)), .init("exchange", .figure(exchange)),
            .init("rank", .integer(rank)),
            .init("wait", .figure(wait)),
        ])
    }
}

extension JSONValue {
    /// A number, or the name of what JSON has no number for.
    fileprivate static func figure(_ value: Double) -> JSONValue {
        value.isFinite ? .number(value) : .string(value.isNaN ? "nan" : value < 0 ? "-inf" : "inf")
    }
}

/// A line of `metrics.jsonl` after an evaluation.
package struct EvaluationEvent: MetricsEvent, Encodable {
    package let event = "evaluation"
    package var step: Int
    package var epoch: Int
    package var split: Split
    package var loss: Double
    package var accuracy: Double?
    package var samples: Int
    package var further = FurtherFigures()
    package var seconds: Double

    package init(
        step: Int, epoch: Int, split: Split, loss: Double, accuracy: Double? = nil, samples: Int,
        further: FurtherFigures = FurtherFigures(), seconds: Double
    ) {
        self.step = step
        self.epoch = epoch
        self.split = split
        self.loss = loss
        self.accuracy = accuracy
        self.samples = samples
        self.further = further
        self.seconds = seconds
    }

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

/// A line of `metrics.jsonl` when a process begins to run steps: the first one, or one that goes on.
package struct StartEvent: MetricsEvent, Encodable {
    package let event = "start"
    package var afterStep: Int
    package var totalSteps: Int
    package var stepsPerEpoch: Int
    package var epochs: Int
    package var lanes: Int
    /// Of this process, if it computes the steps; nil if workers do.
    package var threads: Int?
    /// Of this process.
    package var host: String
    package var process: Int
    package var version: String
    /// In ISO 8601.
    package var time: String

    package init(
        afterStep: Int, totalSteps: Int, stepsPerEpoch: Int, epochs: Int, lanes: Int, threads: Int? = nil, host: String,
        process: Int, version: String, time: String
    ) {
        self.afterStep = afterStep
        self.totalSteps = totalSteps
        self.stepsPerEpoch = stepsPerEpoch
        self.epochs = epochs
        self.lanes = lanes
        self.threads = threads
        self.host = host
        self.process = process
        self.version = version
        self.time = time
    }

    enum CodingKeys: String, CodingKey {
        case event
        case afterStep = "after_step"
        case totalSteps = "total_steps"
        case stepsPerEpoch = "steps_per_epoch"
        case epochs, lanes, threads, host, process, version, time
    }
}

/// A line of `metrics.jsonl` when workers have formed a generation.
package struct GenerationEvent: MetricsEvent, Encodable {
    /// A worker of the generation and the lanes that it computes.
    package struct Worker: Encodable, Sendable {
        package var rank: Int
        package var host: String
        package var process: Int
        package var threads: Int
        package var firstLane: Int
        package var lanes: Int

        package init(rank: Int, host: String, process: Int, threads: Int, firstLane: Int, lanes: Int) {
            self.rank = rank
            self.host = host
            self.process = process
            self.threads = threads
            self.firstLane = firstLane
            self.lanes = lanes
        }

        enum CodingKeys: String, CodingKey {
            case rank, host, process, threads, lanes
            case firstLane = "first_lane"
        }
    }

    package let event = "generation"
    package var afterStep: Int
    package var generation: Int
    package var workers: [Worker]

    package init(afterStep: Int, generation: Int, workers: [Worker]) {
        self.afterStep = afterStep
        self.generation = generation
        self.workers = workers
    }

    enum CodingKeys: String, CodingKey {
        case event, generation, workers
        case afterStep = "after_step"
    }
}

/// A line of `metrics.jsonl` when a generation has ended early: why, and which workers are lost.
package struct GenerationEndEvent: MetricsEvent, Encodable {
    package let event = "generation_end"
    package var afterStep: Int
    package var generation: Int
    package var reason: String
    /// Ranks of the workers that are lost.
    package var lost: [Int]

    package init(afterStep: Int, generation: Int, reason: String, lost: [Int]) {
        self.afterStep = afterStep
        self.generation = generation
        self.reason = reason
        self.lost = lost
    }

    enum CodingKeys: String, CodingKey {
        case event, generation, reason, lost
        case afterStep = "after_step"
    }
}
