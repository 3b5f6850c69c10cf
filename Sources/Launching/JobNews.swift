internal import Processes
internal import Wording

/// What a launcher tells the user about its processes.
enum JobNews: Equatable, Sendable {
    case replaced(Int, SpawnedProcess.End, after: Duration)
    case notReplaced(Int, SpawnedProcess.End, restarts: Int)
    /// A worker has said why, and another one could not either.
    case cannotTakePart(Int, endsJob: Bool)
    case coordinatorRestarts(signal: Int32, after: Duration)
    case coordinatorLost(signal: Int32)
    /// A process cannot be started.
    case failure(String)

    /// - Parameters:
    ///   - places: where each worker runs: empty, or ` on HOST`.
    ///   - remedy: what to do once the coordinator is lost.
    func line(places: [String], remedy: () -> String) -> String {
        func name(_ worker: Int) -> String { "worker \(worker)\(places[worker])" }
        return switch self {
        case .replaced(let worker, let end, let pause):
            "\(name(worker)) \(Self.how(end)); a replacement starts\(Self.when(pause))"
        case .notReplaced(let worker, let end, let restarts):
            "\(name(worker)) \(Self.how(end)); it was replaced \(restarts) times within 10 minutes and is not replaced "
                + "again (--max-restarts)"
        case .cannotTakePart(let worker, let endsJob):
            "\(name(worker)) cannot take part\(endsJob ? ": the job ends" : " and is not replaced")"
        case .coordinatorRestarts(let signal, let pause):
            "the coordinator was ended by signal \(signal); it restarts\(Self.when(pause))"
        case .coordinatorLost(let signal): "the coordinator was ended by signal \(signal): \(remedy())"
        case .failure(let reason): reason
        }
    }

    private static func how(_ end: SpawnedProcess.End) -> String {
        switch end {
        case .signal(let number): "was ended by signal \(number)"
        case .status(let status): "ended with status \(status)"
        }
    }

    private static func when(_ pause: Duration) -> String { pause > .zero ? " in \(Int(pause.seconds)) s" : "" }
}
