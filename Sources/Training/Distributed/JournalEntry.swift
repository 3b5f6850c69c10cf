internal import Foundation
internal import TextData

/// A committed step as the journal keeps it.
package struct CommittedStep: Codable, Sendable, Equatable {
    /// The coordinator's run in which it was committed.
    package var incarnation: UInt64
    package var generation: UInt32
    package var commit: Commit
    /// Digest of the step as it was planned.
    package var plan: UInt64
    /// Digest of what was really computed, of each lane.
    package var lanes: [UInt64]
    /// Whether samples of it had been computed before, for a generation or a state that was lost.
    package var redone: Bool
    package var seconds: Double

    package var step: Int { commit.step }
}

/// What the journal of a run's coordinator says, entry by entry.
package enum JournalEntry: Codable, Sendable, Equatable {
    /// First of all: which run this is, and the step up to which a checkpoint holds it.
    case run(id: UInt64, after: Int)
    /// A generation with this number was begun; no other one may have it.
    case generation(UInt32)
    case committed(CommittedStep)
    /// Steps whose entries were left out for their number; their digests were those of the plan.
    case counted(from: Int, through: Int)
    /// The run's state is that after another step than the entry before says.
    case moved(to: Int)
    /// From here on the run has another name: states under the former one count no more.
    case renamed(run: UInt64)
    /// An evaluation was made.
    case progress(RunProgress)

    var bytes: [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }

    init?(bytes: [UInt8]) {
        guard let entry = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = entry
    }
}

extension StepPlan {
    /// Digests of the lanes' samples, as workers compute them.
    package var laneDigests: [UInt64] { lanes.indices.map { SampleDigest.of(lanes[$0], source: source?.lanes[$0] ?? []) } }

    /// Digest of the step, its lanes and their samples.
    package var digest: UInt64 {
        let parts: [(sample: Int, position: UInt32)] = laneDigests.map { (Int($0 >> 32), UInt32(truncatingIfNeeded: $0)) }
        return SampleDigest.of([(sample: step, position: UInt32(lanes.count))] + parts)
    }
}
