package import Console
package import Files
internal import Synchronization

/// The journal of a run's coordinator: all that must survive its end, and little more.
///
/// A step is committed once its entry is written, before any worker is told. Every checkpoint starts a new journal,
/// and between checkpoints it is shortened when it grows long.
package final class RunJournal: Sendable {
    private static let longest = 4 << 20

    private let state: Mutex<State>
    private let display: RunDisplay

    private struct State {
        var history: JournalHistory
        var log: RecordLog
        var saidFailure = false
        /// Whether another process removed entries from the file.
        var isDamaged = false
    }

    package static func path(inRun output: String) -> String { output + "/journal" }

    /// Replaces the file by one with this history.
    ///
    /// - Parameter isThere: whether the file already has this history. It is then continued if the disk has no room for
    ///   another one; otherwise the history is written as soon as there is room.
    /// - Throws: ``FileError`` if the existing file cannot be continued.
    package init(
        _ history: JournalHistory, isThere: Bool, inRun output: String, display: RunDisplay,
        steps: any FileSteps = PlainFileSteps()
    ) throws {
        self.display = display
        let (path, records) = (Self.path(inRun: output), history.all.map(\.bytes))
        var state: State
        do throws(FileError) {
            state = State(history: history, log: try RecordLog(path, records: records, steps: steps))
        } catch {
            let log =
                isThere
                ? try RecordLog(goingOnWith: path, steps: steps)
                : RecordLog(path, whenThereIsRoom: records, steps: steps)
            state = State(history: history, log: log, saidFailure: true)
            display.say(Self.fellBehind(error))
        }
        self.state = Mutex(state)
    }

    package var history: JournalHistory { state.withLock { $0.history } }

    /// Records an entry. A full disk is reported but does not stop the run: the workers know the newest step, too.
    package func add(_ entry: JournalEntry) {
        attempt { state in
            state.history.add(entry)
            switch try state.log.append(entry.bytes) {
            case nil, .restored: break
            case .cut, .replaced: state.isDamaged = true
            }
            guard state.isDamaged || state.log.byteCount > Self.longest else { return }
            if !state.isDamaged { state.history.shorten() }
            try state.log.replace(state.history.all.map(\.bytes))
            state.isDamaged = false
        }
    }

    /// Restarts the journal after a checkpoint: earlier entries are no longer needed.
    package func restart(from progress: RunProgress) {
        attempt { state in
            var next = state.history
            next.restart(from: progress)
            try state.log.replace(next.all.map(\.bytes))
            state.history = next
            state.isDamaged = false
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
        if let failure { display.say(Self.fellBehind(failure)) }
    }

    private static func fellBehind(_ failure: some CustomStringConvertible) -> String {
        "THE JOURNAL FELL BEHIND: \(failure); training continues, and missing entries are written as soon as there "
            + "is room"
    }
}
