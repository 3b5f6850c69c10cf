package import Logging
internal import Synchronization

/// What a maintainer may read of a job while it runs: generations, calls and frames, on standard error; off by default.
///
/// Each part of the program has a logger, nil while it is off: `Trace.control?.trace("call", metadata: […])` computes
/// nothing then. No message has a text of the data, a key or a secret; metadata have numbers and names of processes.
package enum Trace {
    /// The control plane: processes found and lost, calls.
    package static let control = logger("control")
    /// The data plane: frames.
    package static let frames = logger("frames")
    /// Coordinator and workers: members, generations, steps.
    package static let run = logger("run")
    /// The launcher: processes and signals.
    package static let launcher = logger("launcher")

    private static let chosen = Mutex<Logger.Level?>(nil)

    /// Turns it on, before any of it is used.
    package static func begin(at level: Logger.Level) { chosen.withLock { $0 = level } }

    /// The arguments by which a process of the same job traces as this one does.
    package static var arguments: [String] { chosen.withLock { $0 }.map { ["--log-level", $0.rawValue] } ?? [] }

    private static func logger(_ part: String) -> Logger? {
        guard let level = chosen.withLock({ $0 }) else { return nil }
        var logger = Logger(label: part) { TraceLines(part: $0) }
        logger.logLevel = level
        return logger
    }
}
