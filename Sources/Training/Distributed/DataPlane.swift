internal import Synchronization

/// Limits of the data plane.
enum DataPlane {
    /// Time in which a generation's links must stand, and its memory.
    static let formingTime = Duration.seconds(30)
    /// Time in which the reports of all that wait for links arrive after the first one.
    static let reportTime = Duration.seconds(10)
    /// Time in which, after the links stand, the states must have arrived that one rank may have to send to all others, one
    /// after another.
    static func transferTime(parameters: Int, workers: Int) -> Duration { StepPace.time(toSend: parameters * workers) }
    /// Bytes of samples that a link takes in one frame, with room for what is before them.
    static let longestFrame = 15 << 20
    /// Time without a frame after which an exchange is given up; a lost process is noticed much earlier.
    static let exchangeTime = Duration.seconds(300)
    /// Time after which a state on its way to or from the coordinator is given up.
    static func stateTime(parameters: Int) -> Duration { exchangeTime + transferTime(parameters: parameters, workers: 1) }
}

/// Results that several threads fill in.
final class ChunkScores: Sendable {
    private let scores: Mutex<[ScoredChunk?]>

    init(count: Int) { scores = Mutex([ScoredChunk?](repeating: nil, count: count)) }

    func set(_ place: Int, _ score: ScoredChunk) { scores.withLock { $0[place] = score } }

    var all: [ScoredChunk] { scores.withLock { $0.compactMap { $0 } } }
}
