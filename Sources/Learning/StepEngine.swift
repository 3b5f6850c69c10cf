package import BERT
package import Tensors

/// The result of one step.
package struct StepReport: Sendable, Equatable {
    /// Sum of all samples' losses.
    package var lossSum: Double
    /// The same of the source task.
    package var sourceLossSum: Double
    package var gradientNorm: Double
    /// Seconds of each worker, if there are workers: compute, exchange, wait.
    package var shares: [WorkerShare]
    /// The version of the membership that computed it, if there are workers.
    package var generation: Int?
    /// The state of the epoch's samples, after the last step of an epoch computed by workers.
    package var samplesOfEpoch: SampleAccount?
    /// Earlier steps that were recomputed on the way, since all workers had lost them.
    package var recomputed = RecomputedSteps()

    package init(lossSum: Double, sourceLossSum: Double = 0, gradientNorm: Double, shares: [WorkerShare] = []) {
        self.lossSum = lossSum
        self.sourceLossSum = sourceLossSum
        self.gradientNorm = gradientNorm
        self.shares = shares
    }
}

/// Steps computed a second time, and what they held.
package struct RecomputedSteps: Sendable, Equatable {
    package private(set) var steps = 0
    package private(set) var samples = 0
    package private(set) var tokens = 0

    package init() {}

    package mutating func add(_ step: StepPlan) {
        steps += 1
        samples += step.sampleCount + (step.source?.sampleCount ?? 0)
        tokens += step.tokenCount + (step.source?.tokenCount ?? 0)
    }
}

/// The state of an epoch's samples, as text.
package struct SampleAccount: Sendable, Equatable {
    package var text: String
    /// Whether samples were recomputed or missed.
    package var isUnusual: Bool

    package init(text: String, isUnusual: Bool) {
        self.text = text
        self.isUnusual = isUnusual
    }
}

/// The step after which a run continues.
package struct RunBeginning: Sendable, Equatable {
    package var step: Int
    /// Information about that step, if nothing else has it.
    package var newest: StepReport?

    package init(step: Int, newest: StepReport? = nil) {
        self.step = step
        self.newest = newest
    }
}

/// How one worker spent a step.
package struct WorkerShare: Codable, Sendable, Equatable {
    package var rank: Int
    /// Seconds of computing, of exchanging gradients, and of waiting for samples or other ranks.
    package var compute: Double
    package var exchange: Double
    package var wait: Double
    /// Exchanged with other workers: sent to them, or read from their memory.
    package var bytes: Int

    package init(rank: Int, compute: Double, exchange: Double, wait: Double, bytes: Int = 0) {
        self.bytes = bytes
        self.rank = rank
        self.compute = compute
        self.exchange = exchange
        self.wait = wait
    }
}

/// Everything that training changes: the contents of a checkpoint.
package struct TrainingState: Sendable {
    package var parameters: FloatBuffer
    package var first: FloatBuffer
    package var second: FloatBuffer
    package var touched: TouchedRows

    package init(parameters: FloatBuffer, first: FloatBuffer, second: FloatBuffer, touched: TouchedRows) {
        self.parameters = parameters
        self.first = first
        self.second = second
        self.touched = touched
    }
}

/// Which of the run's datasets.
package enum Split: String, Codable, Sendable {
    case train
    case validation
    case test
    case sourceTrain = "source-train"
    case sourceValidation = "source-validation"

    package var stream: TaskStream { self == .sourceTrain || self == .sourceValidation ? .source : .target }
}

/// Computes steps: in this process, or on workers.
package protocol StepEngine: AnyObject {
    /// Prepares the step after `step`, or after a later one that turns out to be committed already.
    func begin(after step: Int) async throws -> RunBeginning
    /// Computes one step and applies its update.
    /// - Throws: ``NonFiniteStep`` before any update, with the state as it was.
    /// - Parameter next: the step after it, whose samples may be sent meanwhile.
    func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport
    /// Scores a dataset with the state after the last step.
    /// - Parameter scored: told how far it is, for the display.
    func evaluate(_ split: Split, counting scored: ScoredSamples) async throws -> Evaluated
    /// The state after the last step; not to be changed.
    func state() async throws -> TrainingState
    /// Worker processes, 1 without workers, and the most threads of one.
    var workers: Int { get }
    var threads: Int { get }
    /// The fewest threads of one.
    var fewestThreads: Int { get }
}

extension StepEngine {
    package func evaluate(_ split: Split) async throws -> Evaluated {
        try await evaluate(split, counting: ScoredSamples())
    }
}

/// A loss or gradient that is not a finite number, found before the update.
package struct NonFiniteStep: Error, Sendable, Equatable, CustomStringConvertible {
    package let step: Int
    package let lane: Int
    /// Numbers of the lane's samples in the training data, from 0.
    package let samples: [Int]
    /// The same in the source task's data.
    package let sourceSamples: [Int]
    /// Stage and samples where it arose, in the debug mode.
    package let origin: String?

    package init(_ plan: StepPlan, lane: Int, origin: String?) {
        func numbers(_ stream: StreamPlan?) -> [Int] {
            stream?.lanes[lane].joined().map { Int($0.sample) }.sorted() ?? []
        }
        step = plan.step
        self.lane = lane
        samples = numbers(plan.target)
        sourceSamples = numbers(plan.source)
        self.origin = origin
    }

    /// The error without its remedy.
    package var description: String {
        let ids =
            samples.map(String.init).joined(separator: ", ")
            + (sourceSamples.isEmpty
                ? "" : "; source samples " + sourceSamples.map(String.init).joined(separator: ", "))
        return "step \(step): the loss or gradient of lane \(lane) is not finite (training samples \(ids))"
            + (origin.map { "; it arose in the \($0)" }
                ?? "; apus train with the same options and --debug says in which layer")
    }
}
