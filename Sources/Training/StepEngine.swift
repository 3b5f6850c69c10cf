package import BERT
package import Tensors

/// What one step did.
package struct StepReport: Sendable, Equatable {
    /// Sum of all samples' losses.
    package var lossSum: Double
    /// The same of the source task.
    package var sourceLossSum: Double
    package var gradientNorm: Double
    /// Seconds of each worker, where there are workers: compute, exchange, wait.
    package var shares: [WorkerShare]
    /// The version of the membership that computed it, where there are workers.
    package var generation: Int?
    /// What became of the epoch's samples, after the last step of one that workers computed.
    package var samplesOfEpoch: SampleAccount?

    package init(lossSum: Double, sourceLossSum: Double = 0, gradientNorm: Double, shares: [WorkerShare] = []) {
        self.lossSum = lossSum
        self.sourceLossSum = sourceLossSum
        self.gradientNorm = gradientNorm
        self.shares = shares
    }
}

/// What became of an epoch's samples, in words.
package struct SampleAccount: Sendable, Equatable {
    package var text: String
    /// Whether samples were computed again or missed.
    package var isUnusual: Bool
}

/// After which step a run goes on.
package struct RunBeginning: Sendable, Equatable {
    package var step: Int
    /// What is known of that step, where nothing else tells of it.
    package var newest: StepReport?

    package init(step: Int, newest: StepReport? = nil) {
        self.step = step
        self.newest = newest
    }
}

/// How one worker spent a step.
package struct WorkerShare: Codable, Sendable, Equatable {
    package var rank: Int
    package var compute: Double
    package var exchange: Double
    package var wait: Double
    /// Exchanged with other workers: sent to them, or read out of their memory.
    package var bytes: Int

    package init(rank: Int, compute: Double, exchange: Double, wait: Double, bytes: Int = 0) {
        self.bytes = bytes
        self.rank = rank
        self.compute = compute
        self.exchange = exchange
        self.wait = wait
    }
}

/// Everything that training changes: what a checkpoint holds.
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

/// Who computes steps: this process alone, or workers.
package protocol StepEngine: AnyObject {
    /// Makes ready for the step after `step`, or after a later one that turns out to be committed already.
    func begin(after step: Int) async throws -> RunBeginning
    /// Computes one step and applies its update.
    /// - Throws: ``NonFiniteStep`` before any update, with the state as it was.
    /// - Parameter next: the step after it, whose samples may travel meanwhile.
    func run(_ plan: StepPlan, next: StepPlan?, learningRate: Double) async throws -> StepReport
    func evaluate(_ split: Split) async throws -> Evaluated
    /// The state after the last step; not to be changed.
    func state() async throws -> TrainingState
    /// Worker processes, 1 where this process works alone, and the most threads that one of them has.
    var workers: Int { get }
    var threads: Int { get }
    /// The fewest threads that one of them has.
    var fewestThreads: Int { get }
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
        func numbers(_ stream: StreamPlan?) -> [Int] { stream?.lanes[lane].joined().map { Int($0.sample) }.sorted() ?? [] }
        step = plan.step
        self.lane = lane
        samples = numbers(plan.target)
        sourceSamples = numbers(plan.source)
        self.origin = origin
    }

    /// What happened, without what to do about it.
    package var description: String {
        let ids =
            samples.map(String.init).joined(separator: ", ")
            + (sourceSamples.isEmpty ? "" : "; source samples " + sourceSamples.map(String.init).joined(separator: ", "))
        return "step \(step): the loss or gradient of lane \(lane) is not finite (training samples \(ids))"
            + (origin.map { "; it arose in the \($0)" } ?? "; run again with --single --debug to see where it arises")
    }
}
