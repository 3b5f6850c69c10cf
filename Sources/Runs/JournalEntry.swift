internal import Files
internal import Foundation
internal import Learning

/// A committed step in the journal.
package struct CommittedStep: Codable, Sendable, Equatable {
    /// The incarnation of the coordinator that committed it.
    package var incarnation: UInt64
    package var generation: UInt32
    package var commit: Commit
    /// Digest of the step as it was planned.
    package var plan: UInt64
    /// Digest of the samples actually computed, per lane.
    package var lanes: [UInt64]
    /// Whether samples of it had been computed before, for a lost generation or state.
    package var redone: Bool
    package var seconds: Double

    package init(
        incarnation: UInt64, generation: UInt32, commit: Commit, plan: UInt64, lanes: [UInt64], redone: Bool,
        seconds: Double
    ) {
        self.incarnation = incarnation
        self.generation = generation
        self.commit = commit
        self.plan = plan
        self.lanes = lanes
        self.redone = redone
        self.seconds = seconds
    }

    package var step: Int { commit.step }
}

extension CommittedStep {
    fileprivate var words: [UInt64] {
        commit.words + [incarnation, UInt64(generation), plan, redone ? 1 : 0, seconds.bitPattern] + lanes
    }

    fileprivate init?(words: [UInt64]) {
        var reader = WordReader(words)
        guard let commit = Commit(&reader), let incarnation = reader.next(),
            let generation = reader.next().flatMap(UInt32.init(exactly:)),
            let plan = reader.next(), let redone = reader.next(), redone <= 1, let seconds = reader.next()
        else { return nil }
        var lanes: [UInt64] = []
        while let lane = reader.next() { lanes.append(lane) }
        self.init(
            incarnation: incarnation, generation: generation, commit: commit, plan: plan, lanes: lanes,
            redone: redone == 1,
            seconds: Double(bitPattern: seconds))
    }
}

/// An entry of the journal of a run's coordinator.
package enum JournalEntry: Codable, Sendable, Equatable {
    /// The first entry: which run this is, the step up to which a checkpoint holds it, what it is made of, and the
    /// journal's format. Older builds wrote neither of the last two.
    case run(id: UInt64, after: Int, identity: RunIdentity? = nil, format: Int? = nil)
    /// A generation with this number was begun; no other one may have it.
    case generation(UInt32)
    /// A generation is complete: all its workers have the state after this step, with this hash.
    case formed(generation: UInt32, after: Int, state: UInt64)
    case committed(CommittedStep)
    /// Steps whose entries were merged because there were too many; their digests matched the plan.
    case counted(from: Int, through: Int)
    /// The run's state moved to another step than that of the entry before.
    case moved(to: Int)
    /// From here on the run has another id: states with the former id are invalid.
    case renamed(run: UInt64)
    /// An evaluation was made.
    case progress(RunProgress)

    /// The number of this encoding. Format 1, whose first entry has no number, lacks nothing but that number.
    package static let format = 2

    /// JSON, except for steps: these are frequent, and JSON would cost more than the rest of their handling.
    package var bytes: [UInt8] {
        if case .committed(let step) = self { return Self.stepMark + Data(step.words.bytes).base64EncodedData() }
        let encoder = JSONEncoder()
        encoder.takesAllNumbers()
        return (try? encoder.encode(self)).map { Array($0) } ?? []
    }

    private static let stepMark = Array("step ".utf8)

    init?(bytes: [UInt8]) {
        if bytes.starts(with: Self.stepMark) {
            let words = Data(base64Encoded: Data(bytes.dropFirst(Self.stepMark.count))).flatMap {
                [UInt64](bytes: Array($0)[...])
            }
            guard let step = words.flatMap(CommittedStep.init(words:)) else { return nil }
            self = .committed(step)
            return
        }
        guard let entry = try? JSONDecoder.ofAllNumbers().decode(Self.self, from: Data(bytes)) else { return nil }
        self = entry
    }
}

extension StepPlan {
    /// Digests of the lanes' samples, as workers compute them.
    package var laneDigests: [UInt64] {
        lanes.indices.map { SampleDigest.of(lanes[$0], source: source?.lanes[$0] ?? []) }
    }

    /// Digest of the step, its lanes and their samples.
    package var digest: UInt64 {
        let parts: [(sample: Int, position: UInt32)] = laneDigests.map {
            (Int($0 >> 32), UInt32(truncatingIfNeeded: $0))
        }
        return SampleDigest.of([(sample: step, position: UInt32(lanes.count))] + parts)
    }
}
