internal import Glibc

/// What a process that a launcher started does at its launcher's messages, and after its end.
///
/// Pure: ``LauncherPipe/follow(_:_:)`` is the loop that takes what happens and carries the decisions out.
package struct LaunchedProcess: Sendable {
    /// What the launcher has started.
    package enum Kind: Sendable { case coordinator, worker }

    /// What happens to the process.
    package enum Event: Equatable, Sendable {
        case word(LauncherPipe.Word)
        /// The time of ``Action/wait(_:)`` is over.
        case due
    }

    /// What the process does next.
    package enum Action: Equatable, Sendable {
        /// One worker will not be replaced any more.
        case giveUpWorker
        /// The run is to end after a checkpoint, as for this signal.
        case stop(Int32)
        /// ``Event/due`` follows; nothing that a launcher says matters any more.
        case wait(Duration)
        /// The process ends at once.
        case exit(status: Int32)
    }

    private let kind: Kind
    private var isEnding = false
    /// Time for a last checkpoint of a coordinator that is told to end, or whose launcher has ended.
    static let lastCheckpoint = Duration.seconds(9)
    /// Time for a worker to help with it.
    static let lastHelp = Duration.seconds(8)

    package init(_ kind: Kind) { self.kind = kind }

    package mutating func handle(_ event: Event) -> [Action] {
        switch (kind, event) {
        case (.coordinator, .due): return [.exit(status: 128 + SIGTERM)]
        case (.worker, .due): return [.exit(status: 1)]
        case (_, .word) where isEnding: return []
        case (.coordinator, .word(.givenUp)): return [.giveUpWorker]
        case (.coordinator, .word(.stop(let signal))): return [.stop(signal)]
        case (.coordinator, .word(.end)), (.coordinator, .word(.gone)):
            isEnding = true
            return [.stop(SIGTERM), .wait(Self.lastCheckpoint)]
        case (.worker, .word(.gone)):
            isEnding = true
            return [.wait(Self.lastHelp)]
        // Whatever a launcher says to a worker, it is to end.
        case (.worker, .word):
            isEnding = true
            return [.exit(status: 1)]
        }
    }
}
