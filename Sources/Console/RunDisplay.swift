internal import Files
internal import Foundation
internal import Synchronization
internal import Wording

/// The messages of a run: on standard output, and in the run's log.
///
/// On a terminal a progress line is redrawn. In a pipe or a file there are lines at growing intervals instead; from the
/// first step to the last one each line there begins with the time, as in the log.
package final class RunDisplay: Sendable {
    private let screen: Screen
    /// Descriptor of the log; -1 before it is opened.
    private let log = Mutex<CInt>(-1)
    private let state = Mutex(State())
    /// Runs while the progress of work between two steps may be told.
    private let ticker = Mutex<Ticker?>(nil)

    private struct State {
        /// Whether the run is computing steps.
        var isRunning = false
        /// Over the last seconds, for the line on a terminal.
        var recent = ProgressMeter(memory: 5)
        /// Since the newest line of the log.
        var window = ProgressMeter()
        var interval: GrowingInterval?
        /// Ends of epochs reported since the last other message.
        var epochsTold = 0
        /// The last line about an operation other than steps.
        var workTold = ""
    }

    /// Consecutive ends of epochs that are reported; later ones only occasionally.
    private static let mostEpochs = 30

    package init(screen: Screen = .shared) { self.screen = screen }

    deinit { log.withLock { if $0 >= 0 { close($0) } } }

    /// From now on lines also go to this file. Failure to open it is reported once; the run does not need a log.
    package func open(_ path: String) {
        let descriptor = unsafe Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            say(
                "\(path) cannot be written (\(systemReason())): the run continues without a "
                    + "log"
            )
            return
        }
        log.withLock { $0 = descriptor }
    }

    /// Steps begin or have ended.
    package func setRunning(_ isRunning: Bool) {
        state.withLock { state in
            state.isRunning = isRunning
            if state.interval == nil { state.interval = GrowingInterval(from: .now) }
        }
        if isRunning { return }
        endWork()
        screen.hide()
    }

    /// Reports news.
    package func say(_ line: String) {
        state.withLock { $0.epochsTold = 0 }
        tell(line)
    }

    /// The end of an epoch; of very many epochs only some are reported outside the log.
    /// - Parameter isNews: whether something else than the epoch's number is new.
    package func sayEpoch(_ line: String, isNews: Bool) {
        endWork()
        let isTold = state.withLock { state in
            state.epochsTold += 1
            return isNews || state.epochsTold <= Self.mostEpochs || state.interval?.isDue(.now) ?? true
        }
        if isTold { tell(line) } else { append(line) }
    }

    /// Notes a finished step.
    package func show(_ step: ProgressMeter.Step) {
        endWork()
        let (recent, due) = state.withLock { state -> (ProgressFigures, ProgressFigures?) in
            state.recent.add(step)
            state.window.add(step)
            let isDue = state.interval?.isDue(.now) ?? false
            defer { if isDue { state.window = ProgressMeter() } }
            return (state.recent.figures(step), isDue ? state.window.figures(step) : nil)
        }
        let drawn = ContinuousClock.now
        if screen.redraws {
            screen.show { columns, colors in
                recent.line(columns: columns, elapsed: (ContinuousClock.now - drawn).seconds, colors: colors)
            }
        }
        if let due { note(due.text) }
    }

    /// Progress that a terminal shows in its line: elsewhere it is said, and the log has it.
    private func note(_ line: String) {
        if screen.redraws || !screen.showsProgress { append(line) } else { tell(line) }
    }

    /// Notes an operation other than steps, such as an evaluation; on a terminal the line shows it until the next step,
    /// elsewhere its progress is told at growing intervals.
    /// - Parameter share: how much of it is done, from 0 to 1.
    package func showWork(_ what: String, share: (@Sendable () -> Double)? = nil) {
        let began = ContinuousClock.now
        let safe = ShownText.safe(what)
        screen.show { columns, _ in
            let part = share.map { "  \(Int(100 * $0())) %" } ?? ""
            return ShownText.cut(
                "\(safe)\(part)  \(ProgressFigures.clock((ContinuousClock.now - began).seconds))",
                to: max(0, columns - 3))
        }
        let next = share.map { share in
            Ticker { [weak self] in self?.tellWork(safe, share: share(), now: .now) }
        }
        ticker.withLock { $0 = next }
    }

    /// Tells how far an operation is, if that is due and says more than the last time; of one that begins or is done
    /// there is nothing to tell.
    func tellWork(_ what: String, share: Double, now: ContinuousClock.Instant) {
        guard share > 0, share < 1 else { return }
        let line = "\(what)  \(Int(100 * share)) %"
        let isDue = state.withLock { state in
            guard line != state.workTold, state.interval?.isDue(now) ?? false else { return false }
            state.workTold = line
            return true
        }
        if isDue { note(line) }
    }

    private func endWork() { ticker.withLock { $0 = nil } }

    private func tell(_ line: String) {
        let isStamped = !screen.redraws && state.withLock { $0.isRunning }
        screen.say(isStamped ? "\(Self.time) \(line)" : line)
        append(line)
    }

    private func append(_ line: String) {
        let text = "\(Self.time) \(ShownText.safe(line))\n"
        // A line that does not fit on the disk is missing in the log, but was displayed.
        log.withLock { if $0 >= 0 { DescriptorWriting.write(Array(text.utf8), to: $0) } }
    }

    private static var time: String { Date.now.formatted(.iso8601) }
}
