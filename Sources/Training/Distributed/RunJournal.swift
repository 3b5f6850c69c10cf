internal import Checkpoints
internal import Synchronization

/// The journal of a run's coordinator: what it must not forget when it is killed, and little more.
///
/// A step is committed once its entry is written, before any worker hears of it. Every checkpoint begins the journal
/// anew, and between checkpoints it is shortened when it grows long.
package final class RunJournal: Sendable {
    private static let longest = 4 << 20

    private let state: Mutex<State>
    private let display: RunDisplay

    private struct State {
        var history: JournalHistory
        var log: RecordLog
        var saidFailure = false
    }

    package static func path(inRun output: String) -> String { output + "/journal" }

    /// Begins the file anew with a history.
    /// - Throws: ``FileError``.
    package init(_ history: JournalHistory, inRun output: String, display: RunDisplay) throws {
        self.display = display
        let log = try RecordLog(Self.path(inRun: output), records: history.all.map(\.bytes))
        state = Mutex(State(history: history, log: log))
    }

    package var history: JournalHistory { state.withLock { $0.history } }

    /// Notes an entry. A disk without room is said and stops nothing: the workers know the newest step too.
    package func add(_ entry: JournalEntry) {
        attempt { state in
            state.history.add(entry)
            try state.log.append(entry.bytes)
            guard state.log.byteCount > Self.longest else { return }
            state.history.shorten()
            try state.log.replace(state.history.all.map(\.bytes))
        }
    }

    /// A checkpoint holds the run's state now: what came before is no longer needed.
    package func begin(anew progress: RunProgress) {
        attempt { state in
            var next = state.history
            next.begin(anew: progress)
            try state.log.replace(next.all.map(\.bytes))
            state.history = next
        }
    }

    private func attempt(_ body: (inout State) throws -> Void) {
        let failure = state.withLock { state -> String? in
            do {
                try body(&state)
                state.saidFailure = false
                return nil
            } catch {
                defer { state.saidFailure = true }
                return state.saidFailure ? nil : "\(error)"
            }
        }
        if let failure { display.say("THE JOURNAL FELL BEHIND: \(failure); training goes on, and what is missing is written as soon as there is room") }
    }
}
