internal import Learning
internal import Synchronization

/// Limits of the data plane.
enum DataPlane {
    /// Deadline for a generation's links and memory.
    static let formingTime = Duration.seconds(30)
    /// Time after the first report of missing links in which the others arrive, if that report took `time`: the workers
    /// do not begin at the same instant.
    static func reportTime(after time: Duration) -> Duration { min(.seconds(10), .seconds(1) + time / 3) }
    /// Deadline, once links are established, for the states that one rank may have to send to all others, one
    /// after another.
    static func transferTime(parameters: Int, workers: Int) -> Duration { StepPace.time(toSend: parameters * workers) }
    /// Most bytes of samples in one frame, with room for its header.
    static let longestFrame = ScorePlan.longestChunk
    /// Time without a frame after which an exchange fails; a lost process is noticed much earlier.
    static let exchangeTime = Duration.seconds(300)
    /// Deadline for the transfer of a state to or from the coordinator.
    static func stateTime(parameters: Int) -> Duration {
        exchangeTime + transferTime(parameters: parameters, workers: 1)
    }
}

/// Results that several threads fill in.
final class ChunkScores: Sendable {
    private let scores: Mutex<[ScoredChunk?]>

    init(count: Int) { scores = Mutex([ScoredChunk?](repeating: nil, count: count)) }

    func set(_ place: Int, _ score: ScoredChunk) { scores.withLock { $0[place] = score } }

    var all: [ScoredChunk] { scores.withLock { $0.compactMap { $0 } } }
}
