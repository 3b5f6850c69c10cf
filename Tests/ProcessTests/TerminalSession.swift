import Foundation
import Testing

/// A command in a terminal of tmux, whose screen can be read as a person sees it.
final class TerminalSession {
    static let isPossible = (try? ScriptRun(shell: "type -P tmux"))?.status == 0

    private let folder: ScratchFolder
    private let stream: Int32
    private var seen: [UInt8] = []

    /// - Parameter command: in the shell's words; the terminal stays after its end.
    init(columns: Int, rows: Int, environment: [String: String] = [:], _ command: String) throws {
        folder = try ScratchFolder()
        let fifo = folder.url("stream").path
        try #require(unsafe mkfifo(fifo, 0o600) == 0)
        stream = unsafe open(fifo, O_RDWR | O_NONBLOCK)
        let words = environment.map { "\($0.key)='\($0.value)' " }.joined()
        // It begins once everything that it shows can be seen.
        try "read -r < '\(folder.url("go").path)'; clear; \(words)\(command); tput cnorm; echo; echo ENDED; exec cat\n"
            .write(to: folder.url("command"), atomically: true, encoding: .utf8)
        try #require(unsafe mkfifo(folder.url("go").path, 0o600) == 0)
        try tmux("new-session -d -x \(columns) -y \(rows) 'bash \(folder.url("command").path)'")
        try tmux("pipe-pane 'cat >\(fifo)'")
        #expect(try ScriptRun(shell: "echo go > '\(folder.url("go").path)'").status == 0)
    }

    deinit {
        _ = try? tmux("kill-server")
        close(stream)
    }

    @discardableResult
    private func tmux(_ words: String) throws -> String {
        // The server must not keep the pipes of this and other tests open, which would not end before it.
        let closing =
            #"for file in /proc/$$/fd/*; do file=${file##*/}; if ((file > 2)); then eval "exec $file>&-"; fi; done"#
        let unset = "env -u TMUX -u COLUMNS -u NO_COLOR TMUX_TMPDIR='\(folder.path)'"
        let run = try ScriptRun(shell: "\(closing); \(unset) tmux -L apus -f /dev/null \(words)")
        #expect(run.status == 0, "tmux \(words): \(run.text)")
        return run.text
    }

    /// Waits until these words have been written since the last words waited for.
    func wait(for words: String, location: SourceLocation = #_sourceLocation) throws {
        let wanted = Array(words.utf8)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let range = seen.firstRange(of: wanted) {
                seen.removeSubrange(..<range.upperBound)
                return
            }
            var state = pollfd(fd: stream, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&state, 1, 60_000) > 0 else {
                Issue.record("the terminal does not show '\(words)': \(try screen())", sourceLocation: location)
                return
            }
            let count = unsafe read(stream, &buffer, buffer.count)
            if count > 0 { seen += buffer[..<count] }
        }
    }

    func waitForEnd(location: SourceLocation = #_sourceLocation) throws { try wait(for: "ENDED", location: location) }

    /// The rows as they stand, without those that are empty at the end.
    func screen() throws -> [String] {
        var rows = try tmux("capture-pane -p").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while rows.last == "" { rows.removeLast() }
        return rows
    }

    func resize(columns: Int, rows: Int) throws { try tmux("resize-window -x \(columns) -y \(rows)") }

    func type(_ keys: String) throws { try tmux("send-keys \(keys)") }
}
