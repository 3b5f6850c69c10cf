internal import Dispatch
internal import Foundation
internal import Synchronization
internal import Wording

/// The output of this process: lines on both streams and, on a terminal, one redrawn status line below them.
///
/// All output of a process goes through here, so that no line is appended to the status line. A process that shares its
/// terminal with others, such as a launcher with its coordinator, clears the terminal's current line before it writes:
/// the other one redraws its status line below within a second.
package final class Screen: Sendable {
    /// The streams of this process.
    package static let shared = Screen(sink: StandardStreams(), environment: ProcessInfo.processInfo.environment)

    /// Standard output or standard error.
    package enum Stream: Sendable { case output, errors }

    /// Formats the status line for a terminal's number of columns.
    package typealias Status = @Sendable (_ columns: Int, _ colors: Bool) -> String

    private struct State {
        var capabilities: OutputCapabilities
        var mode = ProgressMode.auto
        var sharesTerminal = false
        var status: Status?
        /// Columns of the status line on the terminal, and of the terminal when it was drawn; nil: none is shown.
        var drawn: (used: Int, columns: Int)?
        var drawnAt: ContinuousClock.Instant?
        var isStale = false
        var ticker: Ticker?
    }

    private let sink: any OutputSink
    private let environment: [String: String]
    private let state: Mutex<State>

    init(sink: any OutputSink, environment: [String: String]) {
        self.sink = sink
        self.environment = environment
        state = Mutex(
            State(
                capabilities: OutputCapabilities(.auto, isTerminal: sink.isTerminal(.output), environment: environment))
        )
    }

    /// Sets how progress is shown from now on.
    /// - Parameter sharesTerminal: whether another process draws a status line on the same terminal.
    package func use(_ mode: ProgressMode, sharesTerminal: Bool = false) {
        state.withLock { state in
            state.mode = mode
            state.sharesTerminal = sharesTerminal
            state.capabilities = OutputCapabilities(
                mode, isTerminal: sink.isTerminal(.output), environment: environment)
        }
    }

    /// Whether the status line is redrawn; otherwise progress is ordinary lines.
    package var redraws: Bool { state.withLock { $0.capabilities.redraws } }

    /// Whether progress is shown at all.
    package var showsProgress: Bool { state.withLock { $0.mode != .off } }

    /// Shows a line; the status line is redrawn below it.
    package func say(_ line: String, on stream: Stream = .output) { write(ShownText.safe(line) + "\n", on: stream) }

    /// Passes on complete lines of another process unchanged.
    package func pass(_ lines: String, on stream: Stream) { write(lines, on: stream) }

    private func write(_ text: String, on stream: Stream) {
        state.withLock { state in
            let clearing = state.capabilities.redraws ? Self.clearing(&state, columns: columns) : ""
            let other = clearing.isEmpty && clearsForOthers(state, stream) ? "\r\u{1B}[K" : ""
            let after = state.status != nil && state.capabilities.redraws ? drawing(&state) : ""
            if stream == .output {
                sink.write(clearing + other + text + after, to: .output)
            } else {
                if !clearing.isEmpty { sink.write(clearing, to: .output) }
                sink.write(other + text, to: .errors)
                if !after.isEmpty { sink.write(after, to: .output) }
            }
        }
    }

    /// Whether the status line of another process may be on the terminal.
    private func clearsForOthers(_ state: State, _ stream: Stream) -> Bool {
        guard state.sharesTerminal, sink.isTerminal(stream) else { return false }
        return OutputCapabilities(state.mode, isTerminal: true, environment: environment).redraws
    }

    /// Sets the status line; it is drawn at most ten times a second, and once a second if nothing changes.
    package func show(_ status: @escaping Status) {
        state.withLock { state in
            guard state.capabilities.redraws else { return }
            state.status = status
            state.isStale = true
            if state.ticker == nil { state.ticker = Ticker { [weak self] in self?.tick() } }
            drawIfDue(&state, after: .milliseconds(100))
        }
    }

    /// Removes the status line.
    package func hide() {
        state.withLock { state in
            state.status = nil
            state.ticker = nil
            let clearing = Self.clearing(&state, columns: columns)
            if !clearing.isEmpty { sink.write(clearing, to: .output) }
        }
    }

    /// Removes the status line, if no thread is writing now, and waits briefly for pending output: for a process
    /// that ends immediately.
    package func leave() {
        _ = state.withLockIfAvailable { state in
            let clearing = Self.clearing(&state, columns: columns)
            if !clearing.isEmpty { sink.write(clearing, to: .output) }
        }
        sink.flush(within: .milliseconds(300))
    }

    /// Waits until all output is written.
    package func flush() { sink.flush(within: nil) }

    private func tick() {
        state.withLock { state in
            guard state.status != nil else { return }
            let isResized = state.drawn.map { $0.columns != columns } ?? false
            drawIfDue(&state, after: state.isStale || isResized ? .milliseconds(100) : .seconds(1))
        }
    }

    private func drawIfDue(_ state: inout State, after pause: Duration) {
        if let last = state.drawnAt, .now - last < pause { return }
        let before = state.drawn.map { Self.rewinding($0, columns: columns) } ?? "\r"
        let line = drawing(&state)
        sink.write(before + line, to: .output)
    }

    /// The status line as it is drawn at the beginning of an empty line, or over an older one.
    private func drawing(_ state: inout State) -> String {
        guard let status = state.status else { return "" }
        let columns = columns
        let text = status(columns, state.capabilities.colors)
        state.drawn = (min(columns, ShownText.columns(Self.plain(text))), columns)
        state.drawnAt = .now
        state.isStale = false
        return text + "\u{1B}[K"
    }

    /// Without color codes.
    private static func plain(_ text: String) -> String { text.replacing(/\u{1B}\[[0-9]*m/, with: "") }

    /// The codes that clear the drawn status line.
    private static func clearing(_ state: inout State, columns: Int) -> String {
        guard let drawn = state.drawn else { return "" }
        state.drawn = nil
        return rewinding(drawn, columns: columns) + "\u{1B}[K"
    }

    /// Moves to the beginning of the drawn line; a terminal that became narrower has broken it into several.
    private static func rewinding(_ drawn: (used: Int, columns: Int), columns: Int) -> String {
        guard columns < drawn.columns, columns > 0, drawn.used > columns else { return "\r" }
        let rows = (drawn.used + columns - 1) / columns
        return "\r\u{1B}[\(rows - 1)A\u{1B}[J"
    }

    /// Columns of the terminal; `COLUMNS` can make them fewer, and determines them without a terminal.
    private var columns: Int {
        let asked = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        guard let own = sink.columns, own > 0 else { return asked ?? 80 }
        return min(own, asked ?? own)
    }
}

/// The destination of a ``Screen``.
protocol OutputSink: Sendable {
    func isTerminal(_ stream: Screen.Stream) -> Bool
    /// Columns of the terminal now; nil if there is none.
    var columns: Int? { get }
    func write(_ text: String, to stream: Screen.Stream)
    /// Waits until everything is written; nil: without a limit.
    func flush(within limit: Duration?)
}

/// Standard output and standard error.
///
/// Output is written by a separate thread, so that a stalled reader does not delay steps; it may fall behind by
/// ``most`` bytes, after which a writer waits for it. Errors are written at once, after the output that came before
/// them.
struct StandardStreams: OutputSink {
    private static let most = 1 << 20

    private let queue = DispatchQueue(label: "apus output")
    private let waiting = Waiting()

    private final class Waiting: Sendable {
        let bytes = Mutex(0)
    }

    func isTerminal(_ stream: Screen.Stream) -> Bool { isatty(stream == .output ? STDOUT_FILENO : STDERR_FILENO) == 1 }

    var columns: Int? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    func write(_ text: String, to stream: Screen.Stream) {
        let bytes = Data(text.utf8)
        guard stream == .output else {
            flush(within: .milliseconds(300))
            try? FileHandle.standardError.write(contentsOf: bytes)
            return
        }
        let isBehind = waiting.bytes.withLock {
            $0 += bytes.count
            return $0 > Self.most
        }
        // A closed reader does not end the run.
        queue.async { [waiting] in
            try? FileHandle.standardOutput.write(contentsOf: bytes)
            waiting.bytes.withLock { $0 -= bytes.count }
        }
        if isBehind { queue.sync {} }
    }

    /// Without output that waits, nothing is asked of a thread: the system may give none.
    func flush(within limit: Duration?) {
        guard waiting.bytes.withLock({ $0 > 0 }) else { return }
        guard let limit else { return queue.sync {} }
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + limit.seconds)
    }
}
