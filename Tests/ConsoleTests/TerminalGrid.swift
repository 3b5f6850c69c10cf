import Synchronization

@testable import Console

/// The subset of a terminal that ``Screen`` uses: its contents after all output.
final class TerminalGrid: OutputSink {
    private struct State {
        var columns: Int
        var rows: [String] = [""]
        var row = 0
        var column = 0
        var writes: [String] = []
    }

    private let state: Mutex<State>
    private let terminals: Set<Screen.Stream>

    /// - Parameter terminals: the streams that go to it; others go nowhere.
    init(columns: Int, terminals: Set<Screen.Stream> = [.output, .errors]) {
        state = Mutex(State(columns: columns))
        self.terminals = terminals
    }

    func isTerminal(_ stream: Screen.Stream) -> Bool { terminals.contains(stream) }
    var columns: Int? { terminals.isEmpty ? nil : state.withLock { $0.columns } }
    func flush(within limit: Duration?) {}

    /// All that was written, in order.
    var writes: [String] { state.withLock { $0.writes } }

    /// The rows, without empty ones at the end.
    var rows: [String] {
        state.withLock { state in
            var rows = state.rows.map { row in String(row.reversed().drop { $0 == " " }.reversed()) }
            while rows.last == "" { rows.removeLast() }
            return rows
        }
    }

    /// Makes it narrower or wider, and breaks rows that no longer fit, as most terminals do.
    func resize(to columns: Int) {
        state.withLock { state in
            let broken = state.rows.map { row in
                stride(from: 0, to: max(1, row.count), by: columns).map { String(row.dropFirst($0).prefix(columns)) }
            }
            state.row = broken.prefix(state.row + 1).reduce(0) { $0 + $1.count } - 1
            state.rows = broken.flatMap { $0 }
            state.column = min(state.column % columns, columns - 1)
            state.columns = columns
        }
    }

    func write(_ text: String, to stream: Screen.Stream) {
        state.withLock { state in
            state.writes.append(text)
            guard terminals.contains(stream) || terminals.isEmpty else { return }
            var rest = Substring(text)
            while let character = rest.first {
                if character == "\u{1B}", let code = rest.prefixMatch(of: /\u{1B}\[([0-9]*)([A-Za-z])/) {
                    Self.obey(Character(String(code.2)), Int(code.1) ?? 0, &state)
                    rest = rest[code.range.upperBound...]
                    continue
                }
                rest.removeFirst()
                Self.put(character, &state)
            }
        }
    }

    private static func obey(_ code: Character, _ count: Int, _ state: inout State) {
        switch code {
        case "K": state.rows[state.row] = String(state.rows[state.row].prefix(state.column))
        case "A": state.row = max(0, state.row - max(1, count))
        case "J":
            state.rows.removeSubrange((state.row + 1)...)
            state.rows[state.row] = String(state.rows[state.row].prefix(state.column))
        default: break
        }
    }

    private static func put(_ character: Character, _ state: inout State) {
        func next() {
            state.row += 1
            state.column = 0
            if state.row == state.rows.count { state.rows.append("") }
        }
        if character == "\n" || character == "\r\n" { return next() }
        if character == "\r" {
            state.column = 0
            return
        }
        if state.column == state.columns { next() }
        var row = Array(state.rows[state.row])
        while row.count <= state.column { row.append(" ") }
        row[state.column] = character
        state.rows[state.row] = String(row)
        state.column += 1
    }
}
